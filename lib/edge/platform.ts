// What CloudFront's runtime offers, first in the built functions: its modules are imported before anything else.
import cf from 'cloudfront'
// biome-ignore lint/style/useNodejsImportProtocol: CloudFront's module, not Node's
import crypto from 'crypto'

export { cf, crypto }
