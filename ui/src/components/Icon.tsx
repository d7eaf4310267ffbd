// The page's icons, as lines in a square of 24.
const PATHS = {
  actions: 'M13 3 4 14h6l-1 7 9-11h-6z',
  account: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20a7.5 7.5 0 0 1 15 0',
  applications: 'M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h6v6h-6z',
  check: 'M5 12.5 10 17 19 7',
  clients: 'M4 5h13v9H4zM2 18h11M15 10h6v10h-6z',
  close: 'M6 6l12 12M18 6 6 18',
  copy: 'M8 8h11v12H8zM5 16V4h11',
  down: 'M6 9l6 6 6-6',
  edit: 'M4 20l1-5L16 4l4 4L9 19zM13.5 6.5l4 4',
  external: 'M10 5H5v14h14v-5M14 4h6v6M20 4l-9 9',
  filter: 'M4 6h16M7 12h10M10 18h4',
  help: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM9.5 9.5a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.9-1.1 1.8M12 16.7v.1',
  hide: 'M4 4l16 16M9.5 5.6A9 9 0 0 1 12 5.2c5 0 8.5 4.3 9.5 6.8-.4 1-1.3 2.4-2.7 3.7M6.2 7.3C4.3 8.7 3 10.6 2.5 12c1 2.5 4.5 6.8 9.5 6.8 1.7 0 3.2-.5 4.5-1.2',
  image: 'M4 5h16v14H4zM4 16l5-5 4 4 2-2 5 4M15.5 9.5v.1',
  inbox: 'M4 13 6.5 5h11L20 13v6H4zM4 13h5l1.5 2.5h3L15 13h5',
  key: 'M15 14a5 5 0 1 0-4.6-3L4 17.5V20h3v-2.5h2.5V15l1.7-1.7A5 5 0 0 0 15 14zM16 8.5v.1',
  live: 'M3 12h4l3-7 4 14 3-7h4',
  logOut: 'M10 4H5v16h5M15 8l4 4-4 4M19 12H10',
  menu: 'M4 7h16M4 12h16M4 17h16',
  more: 'M12 5.5v.1M12 12v.1M12 18.5v.1',
  move: 'M8 6v.1M8 12v.1M8 18v.1M16 6v.1M16 12v.1M16 18v.1',
  plus: 'M12 5v14M5 12h14',
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5 20 20',
  send: 'M4 12 20 4l-6 16-3-7z',
  show: 'M2.5 12C3.5 9.5 7 5.2 12 5.2s8.5 4.3 9.5 6.8c-1 2.5-4.5 6.8-9.5 6.8S3.5 14.5 2.5 12zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z',
  trash: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13',
  up: 'M6 15l6-6 6 6',
  users:
    'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20a6.5 6.5 0 0 1 13 0M16 4.5a3.5 3.5 0 0 1 0 6.5M18.5 14.5A6.5 6.5 0 0 1 21.5 20',
} as const;

export type IconName = keyof typeof PATHS;

/** Decoration: what it means must be said beside it. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
