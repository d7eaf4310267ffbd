// English texts of the screen `applications`.

export const applications = {
  'applications.title': 'Applications',
};
