// Authorities of upstreams and directories that the system does not know (layers/trust), for functions.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Architecture, Code, type ILayerVersion, LayerVersion } from 'aws-cdk-lib/aws-lambda'
import type { Construct } from 'constructs'

/** Layers are unpacked below /opt. */
export const TRUST_ENVIRONMENT = { ENTREPOT_TRUST_FILE: '/opt/trust/extra.pem' }

/** @returns all certificates of the directory's PEM files. @throws Error when there is none */
export function readAuthorities(directory: string): string {
  const files = readdirSync(directory).filter((file) => /\.(pem|crt|cer)$/.test(file))
  const pem = files
    .sort()
    .map((file) => readFileSync(path.join(directory, file), 'utf8').trim())
    .join('\n')
  if (!pem.includes('-----BEGIN CERTIFICATE-----'))
    throw new Error(`trust: there is no PEM certificate in ${directory} (*.pem, *.crt, *.cer)`)
  return `${pem}\n`
}

/** @returns no layer when there are no authorities */
export function trustLayers(scope: Construct, pem: string | undefined): ILayerVersion[] {
  if (pem === undefined) return []
  const directory = mkdtempSync(path.join(tmpdir(), 'entrepot-trust-'))
  mkdirSync(path.join(directory, 'trust'))
  writeFileSync(path.join(directory, 'trust', 'extra.pem'), pem)
  return [
    new LayerVersion(scope, 'Trust', {
      code: Code.fromAsset(directory),
      description: 'Extra certificate authorities',
      compatibleArchitectures: [Architecture.ARM_64],
    }),
  ]
}
