// English texts of the screen `live`.

export const live = {
  'live.title': 'Live',
};
