// What CloudFront's JavaScript runtime 2.0 offers to functions.
declare module 'cloudfront' {
  const cf: {
    kvs(): { get(key: string): Promise<string> }
    selectRequestOriginById(id: string): void
  }
  export default cf
}
