// The page's icon and name.

export function Brand({ kind }: { kind?: string }) {
  // The icon of the tab: it is in the document already.
  const icon = document.querySelector<HTMLLinkElement>('link[rel=icon]')?.href;
  return (
    <div class={kind ? `brand ${kind}` : 'brand'}>
      <img src={icon} alt="" width="26" height="26" />
      Shardcast
    </div>
  );
}
