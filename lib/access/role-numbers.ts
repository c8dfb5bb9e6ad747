// Harbor numbers roles in the order it invented them.
import type { Role } from './roles.ts'

export const ROLE_NUMBERS: Record<Role, number> = {
  projectAdmin: 1,
  developer: 2,
  guest: 3,
  maintainer: 4,
  limitedGuest: 5,
}
