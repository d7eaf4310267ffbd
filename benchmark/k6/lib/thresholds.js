// What must hold in each script that publishes to streams. A script adds what only it can tell.

export function thresholds(p95Ms) {
  return {
    connect_success: ['rate==1'],
    publish_success: ['rate==1'],
    delivery_success: ['rate==1'],
    // What was never sent is never missed.
    deliveries: ['count>0'],
    duplicates: ['count<1'],
    bad_frames: ['count<1'],
    broken_streams: ['count<1'],
    delivery_latency: [`p(95)<${p95Ms}`],
    checks: ['rate==1'],
  };
}
