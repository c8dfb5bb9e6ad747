// The files of a data directory.
export const DATABASE = 'entrepot.db'
export const SECRETS = 'secrets.json'
