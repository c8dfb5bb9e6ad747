// The suite as it stood before v1.1.0, which the Go module proxy has.
import { oldSuite } from './old-suite.ts'

oldSuite('oci-conformance-rc')
