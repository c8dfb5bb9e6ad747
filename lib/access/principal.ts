// Principals: who sends requests, and what is known of them when it is decided what they may.

/** One thing a robot was given, in Harbor's words. */
export interface RobotAccess {
  resource: string
  action: string
}

/** @see Harbor's robot permissions: `project` with a project's name or `*`, `system` with `/` */
export interface RobotPermission {
  kind: 'project' | 'system'
  namespace: string
  access: RobotAccess[]
}

export interface Principal {
  /** As it logs in; what tokens, history and logs say. */
  name: string
  kind: 'user' | 'robot' | 'anonymous' | 'open'
  /** A system administrator may everything. */
  admin: boolean
  /** The user's or the robot's, in Harbor's API; 0 for nobody. */
  number: number
  /** Numbers of the user groups this user is in. */
  groups: number[]
  /** Of robots. */
  permissions: RobotPermission[]
}

export const ANONYMOUS: Principal = {
  name: 'anonymous',
  kind: 'anonymous',
  admin: false,
  number: 0,
  groups: [],
  permissions: [],
}

/** Whoever comes to a registry that is open to everybody. */
export const OPEN: Principal = { ...ANONYMOUS, kind: 'open', admin: true }
