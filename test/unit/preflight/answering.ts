// A client of AWS that gives one answer, or one error.

/** @param region none is set when absent */
export function answering(answer: object, region?: string) {
  return {
    send: async () => {
      if (answer instanceof Error) throw answer
      return answer
    },
    config: {
      region: async () => {
        if (region === undefined) throw new Error('Region is missing')
        return region
      },
    },
    // The real ones have an overload for each command.
  } as never
}

export function denial(message: string): Error {
  return Object.assign(new Error(message), { name: 'AccessDeniedException' })
}
