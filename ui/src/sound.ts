// The tone of a message, made by the browser itself, so that no file has to be loaded.

const NOTES = [
  { frequency: 660, at: 0, seconds: 0.12 },
  { frequency: 880, at: 0.11, seconds: 0.22 },
] as const;
const LOUDNESS = 0.12;

let context: AudioContext | null = null;

/** Plays the tone. Browsers allow it once the person has done something on the page; before, nothing is heard. */
export async function playTone(): Promise<void> {
  context ??= new AudioContext();
  if (context.state === 'suspended') await context.resume();
  const start = context.currentTime;
  for (const { frequency, at, seconds } of NOTES) {
    const oscillator = new OscillatorNode(context, { type: 'sine', frequency });
    const gain = new GainNode(context, { gain: 0 });
    gain.gain.setValueAtTime(0, start + at);
    gain.gain.linearRampToValueAtTime(LOUDNESS, start + at + 0.015);
    gain.gain.exponentialRampToValueAtTime(0.0001, start + at + seconds);
    oscillator.connect(gain).connect(context.destination);
    oscillator.start(start + at);
    oscillator.stop(start + at + seconds);
  }
}
