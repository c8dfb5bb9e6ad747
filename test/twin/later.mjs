// A task of another day, in which days pass in minutes: what waits for a grace period, or for nobody to come, happens.
const { now } = Date
const began = now()
const [days, pace] = [Number(process.env.LATER_DAYS), Number(process.env.LATER_PACE)]
Date.now = () => began + days * 86_400_000 + (now() - began) * pace
