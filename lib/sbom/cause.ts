/** Why manifests that hold bills of materials of ours come and go: nobody has to look into them. */
export const SBOM_CAUSE = 'sbom'
