// The settings of a run. Each is a variable (`k6 run -e NAME=VALUE`) with a default; a wrong value stops
// the run before any load.

// Where the load goes; this machine, unless another place is named.
export const BASE_URL = (__ENV.BASE_URL || 'http://127.0.0.1:8082').replace(/\/+$/, '');
if (!/^https?:\/\/[^/]+/.test(BASE_URL)) {
  throw new Error(`BASE_URL must begin with http:// or https://, not \`${BASE_URL}\``);
}

// The same place for WebSockets.
export const STREAM_URL = BASE_URL.replace(/^http/, 'ws');

// A user that may make users.
export const ADMIN = { name: __ENV.ADMIN_USER || 'admin', pass: __ENV.ADMIN_PASS || 'admin' };

// Returns a whole number of at least `least`.
export function count(name, preset, least = 1) {
  const text = __ENV[name];
  if (text === undefined || text === '') return preset;
  const value = Number(text);
  if (!Number.isInteger(value) || value < least) {
    throw new Error(`${name} must be a whole number from ${least}, not \`${text}\``);
  }
  return value;
}

// Returns seconds; `90`, `90s`, `1m30s` and `2m` are understood.
export function seconds(name, preset) {
  const text = __ENV[name];
  if (text === undefined || text === '') return preset;
  return parseSeconds(name, text);
}

function parseSeconds(name, text) {
  const parts = /^(?:(\d+)m)?(?:(\d+)s?)?$/.exec(text);
  const value = parts && text !== '' ? Number(parts[1] || 0) * 60 + Number(parts[2] || 0) : 0;
  if (!(value > 0)) throw new Error(`${name} must be a time such as 30s or 2m, not \`${text}\``);
  return value;
}

// Returns steps of a ramp, `1m:1000,2m:5000`, as [{ seconds, target }].
export function stages(name, preset) {
  return (__ENV[name] || preset).split(',').map((step) => {
    const [time, target, ...rest] = step.trim().split(':');
    if (rest.length > 0 || !/^\d+$/.test(target || '')) {
      throw new Error(`${name} must be steps such as 1m:1000,2m:5000, not \`${step}\``);
    }
    return { seconds: parseSeconds(name, time), target: Number(target) };
  });
}

// Returns positive numbers: `10,50,100`.
export function numbers(name, preset) {
  return (__ENV[name] || preset).split(',').map((text) => {
    const value = Number(text);
    if (!(value > 0)) throw new Error(`${name} must be numbers above 0, not \`${text}\``);
    return value;
  });
}
