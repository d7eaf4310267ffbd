// English texts of the screen `clients`.

export const clients = {
  'clients.title': 'Clients',
};
