// The kinds of lines of a room's log, as pages show them. A newer server may tell of kinds that are
// not here: they have no property, and show nothing.

export const KINDS = {
  message: { isUnread: true },
  enter: { folds: true, changesPeople: true },
  leave: { folds: true, changesPeople: true },
  close: {
    sentence: () => gettext("%(name)s closed the room"),
    about: () => ({ closed: true }),
  },
  open: {
    sentence: () => gettext("%(name)s opened the room again"),
    about: () => ({ closed: false }),
  },
  owner: {
    sentence: () => gettext("%(name)s is the owner now"),
    about: ({ from }) => ({ owner: from.id }),
    changesPeople: true,
  },
};

export const kindOf = (event) => KINDS[event?.kind] ?? {};
