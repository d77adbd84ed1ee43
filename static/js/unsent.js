// What was written and not confirmed, kept in this browser for its author over the end of the tab.
//
// Each message belongs to one tab, which alone sends it. A tab holds a lock that has its name for as
// long as it lives; whoever is given that lock knows that the tab has gone, and takes over what it
// has left. So no two tabs send the same, and if they did, its id would make it one message.
//
//   const unsent = await openUnsent(user);      // null: this browser keeps nothing, or has no locks
//   unsent.store(room, title)                   // { load, save, release } of an outbox; title()
//   unsent.take(wants, (room, items) => …)      // what tabs have left that have gone, now and later
//   unsent.look()                               // … and those that came since
//   await left(user) · discard(user, cid)       // what there is, for a page that sends nothing
//   await forget(user)                          // after signing out
//
// A record: { cid, user, room, title, tab, body, at, state, code, why }; tab "" is nobody.

const [DATABASE, RECORDS, BY_USER] = ["chattalk", "unsent", "user"];
const lockOf = (tab) => `chattalk:tab:${tab}`;

export async function openUnsent(user) {
  if (!globalThis.navigator?.locks || !globalThis.indexedDB || !user) return null;
  try {
    const database = await opened();
    const tab = String(performance.timeOrigin) + Math.random();
    await hold(tab);
    return new Unsent(database, user, tab);
  } catch (error) {
    console.warn("This browser keeps nothing:", error.message);
    return null;
  }
}

export async function forget(user) {
  const unsent = new Unsent(await opened(), user, "");
  await unsent.change((records, store) => records.forEach(({ cid }) => store.delete(cid)));
}

export async function left(user) {
  return new Unsent(await opened(), user, "").all();
}

export async function discard(user, cid) {
  return new Unsent(await opened(), user, "").write([cid], []);
}

class Unsent {
  constructor(database, user, tab) {
    Object.assign(this, { database, user, tab });
    this.waitedFor = new Set();
    this.isOver = false;
  }

  // Of one room's outbox; only what has changed is written.
  store(room, title) {
    const written = new Map();
    const whose = () => ({ user: this.user, room, title: title(), tab: this.tab });
    return {
      load: () => [],
      save: (items) => {
        const now = new Map(items.map((item) => [item.cid, JSON.stringify(item)]));
        const gone = [...written.keys()].filter((cid) => !now.has(cid));
        const fresh = items.filter((item) => written.get(item.cid) !== now.get(item.cid));
        written.clear();
        now.forEach((text, cid) => written.set(cid, text));
        if (gone.length || fresh.length) {
          this.write(gone, fresh.map((item) => ({ ...item, ...whose() })));
        }
      },
      // Somebody else's from here on, to send or to show.
      release: (cid) => {
        written.delete(cid);
        return this.release(cid);
      },
    };
  }

  take(wants, took) {
    Object.assign(this, { wants, took });
    return this.look();
  }

  // Other tabs' messages are waited for: the lock is given as soon as their tab goes.
  async look() {
    const tabs = new Set((await this.all()).filter(this.wants).map(({ tab }) => tab));
    for (const tab of tabs) {
      if (tab === this.tab || this.waitedFor.has(tab) || this.isOver) continue;
      this.waitedFor.add(tab);
      navigator.locks.request(lockOf(tab), () => this.claim(tab));
    }
  }

  async claim(tab) {
    this.waitedFor.delete(tab);
    if (this.isOver) return;
    const claimed = await this.change((records, store) => {
      const found = records.filter((one) => one.tab === tab && this.wants(one));
      for (const one of found) store.put({ ...one, tab: this.tab });
      return found;
    });
    for (const [room, items] of byRoom(claimed)) this.took(room, items);
  }

  release(cid) {
    return this.change((records, store) => {
      const found = records.find((one) => one.cid === cid);
      if (found) store.put({ ...found, tab: "" });
    });
  }

  write(gone, fresh) {
    return this.change((_records, store) => {
      gone.forEach((cid) => store.delete(cid));
      fresh.forEach((record) => store.put(record));
    });
  }

  async all() {
    return this.change((records) => records, "readonly");
  }

  // The page is theirs no more: nothing is written after this, and nothing taken over.
  end() {
    this.isOver = true;
  }

  // One transaction; answers what `change` answered, once it is kept.
  change(change, mode = "readwrite") {
    if (this.isOver) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      const transaction = this.database.transaction(RECORDS, mode, { durability: "strict" });
      const store = transaction.objectStore(RECORDS);
      let answer;
      store.index(BY_USER).getAll(this.user).onsuccess = ({ target }) => {
        answer = change(inOrder(target.result), store);
      };
      transaction.oncomplete = () => resolve(answer);
      transaction.onabort = () => reject(transaction.error);
    }).catch((error) => {
      console.warn("This browser could not keep it:", error?.message);
      return [];
    });
  }
}

function opened() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () =>
      request.result.createObjectStore(RECORDS, { keyPath: "cid" }).createIndex(BY_USER, "user");
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("blocked"));
  });
}

// For as long as this page lives.
function hold(tab) {
  return new Promise((held, refused) => {
    const forEver = new Promise(() => {});
    navigator.locks.request(lockOf(tab), () => (held(), forEver)).catch(refused);
  });
}

const inOrder = (records) => records.sort((a, b) => (a.at < b.at ? -1 : Number(a.at > b.at)));

function byRoom(records) {
  const rooms = new Map();
  for (const { user: _user, tab: _tab, title, room, ...item } of records) {
    if (!rooms.has(room)) rooms.set(room, []);
    rooms.get(room).push(item);
    rooms.get(room).title = title;
  }
  return rooms;
}
