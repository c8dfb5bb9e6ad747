// The suite of v1.1.1, where somebody put it into tools/bin (it is in no package registry).
import { oldSuite } from './old-suite.ts'

oldSuite('oci-conformance-v1')
