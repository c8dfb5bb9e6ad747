// How images are scanned: part of the one schema, under the names that Harbor's `trivy:` block has.
import * as z from 'zod'

const onOff = (what: string) => z.enum(['on', 'off']).default('off').describe(what)

export const scannerSchema = {
  trivy: z
    .string()
    .min(1)
    .default('trivy')
    .describe('the program trivy: a name on the PATH, or a file; off for none'),
  trivyCache: z
    .string()
    .min(1)
    .optional()
    .describe('directory of trivy’s databases; <data>/trivy when absent'),
  trivyChecks: z
    .string()
    .regex(
      /^(vuln|secret|misconfig|config)(,(vuln|secret|misconfig|config))*$/,
      'expected vuln,secret,misconfig or some of them',
    )
    .default('vuln,secret')
    .describe('what scans look for: vuln,secret,misconfig'),
  trivyIgnoreUnfixed: onOff('leave out vulnerabilities that no version fixes'),
  trivySkipUpdate: onOff('use the databases that are there, without looking for newer ones'),
  trivyOffline: onOff('scans ask nobody else about what they find'),
  trivyTimeoutSeconds: z.coerce
    .number()
    .int()
    .min(10)
    .max(7200)
    .default(300)
    .describe('seconds a scan may take'),
  trivyDbRepository: z
    .string()
    .max(500)
    .default('')
    .describe('OCI repository of the vulnerability database, such as our own cache of it'),
  trivyJavaDbRepository: z
    .string()
    .max(500)
    .default('')
    .describe('OCI repository of the database of Java packages'),
  trivyInsecure: onOff('scans check no certificates'),
}
