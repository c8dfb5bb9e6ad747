// An authority of the twin's own and a certificate for every name it is reached by.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

export interface Certificates {
  /** File with the authority's certificate. */
  authority: string
  key: string
  cert: string
}

export async function makeCertificates(directory: string): Promise<Certificates> {
  const script = `
    ec='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
    openssl req -x509 $ec -days 2 -keyout ca.key -out ca.crt -subj /CN=twin-ca
    openssl req $ec -keyout tls.key -out tls.csr -subj /CN=localhost
    printf 'subjectAltName=DNS:localhost,DNS:*.cloudfront.net,DNS:registry.twin.test,IP:127.0.0.1' > san
    openssl x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile san -out tls.crt`
  await promisify(execFile)('sh', ['-ec', script], { cwd: directory })
  const read = (file: string) => readFile(path.join(directory, file), 'utf8')
  return {
    authority: path.join(directory, 'ca.crt'),
    key: await read('tls.key'),
    cert: await read('tls.crt'),
  }
}
