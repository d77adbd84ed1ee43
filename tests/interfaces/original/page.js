// The original's page without its looks: what it asks of the server, with the libraries that it
// uses (sockjs-client 1.6.1, stompjs 2.3.3) and in the order in which it asks. For a browser: SockJS
// and Stomp are globals.

class OriginalPage {
  constructor(base) {
    this.base = base;
    this.lines = [];
    this.people = null;
    this.people_seen = 0;
    this.sockets = [];
    this.transports = [];
  }

  // --- REST, as axios sends it with credentials ---------------------------------------------

  async ask(method, path, body) {
    const json = { Accept: "application/json, text/plain, */*" };
    if (body !== undefined) json["Content-Type"] = "application/json";
    const answer = await fetch(`${this.base}/api/${path}`, {
      method,
      headers: json,
      credentials: "include",
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    return { status: answer.status, body: text ? JSON.parse(text) : null };
  }

  signUp(email, password) {
    return this.ask("POST", "users/signup", { email, password, phone: "000-000-0000", role: "USER" });
  }

  async signIn(email, password) {
    const answer = await this.ask("POST", "users/login", { email, password });
    return { ...answer, guard: this.isIn() };
  }

  signOut() {
    return this.ask("POST", "users/logout");
  }

  // Its guard looks for no more than this.
  isIn() {
    return document.cookie.split("; ").some((one) => /^Authorization=./.test(one));
  }

  list() {
    return this.ask("GET", "open-chats");
  }

  mine() {
    return this.ask("GET", "open-chats/subscribe");
  }

  create(title, maxPersonnel) {
    return this.ask("POST", "open-chats/create", { title, maxPersonnel });
  }

  // --- a room -------------------------------------------------------------------------------

  // What was missed first; then both sockets at once. Shown is the one after the other.
  async enter(chatId) {
    this.lines = [];
    this.missed = await this.ask("GET", `open-chats/read/${chatId}`);
    if (Array.isArray(this.missed.body)) this.lines.push(...this.missed.body);
    this.openChat(chatId);
    this.openParticipants(chatId);
  }

  openChat(chatId) {
    const lines = this.lines; // of this visit: an older visit's socket may still be open
    this.chat = this.over("/stomp/chat");
    // All that follows `Bearer%20` in all cookies, whatever it is: so does the original.
    const token = document.cookie.split("Bearer%20")[1];
    this.chat.connect({ Authorization: `Bearer ${token}` }, () => {
      this.chat.subscribe(`/sub/chat/${chatId}`, (message) => lines.push(JSON.parse(message.body)));
      this.chat.send("/send/chat/enter", {}, JSON.stringify({ chatId }));
    });
  }

  openParticipants(chatId) {
    this.participants = this.over("/stomp/participant");
    this.participants.connect({}, () => {
      this.participants.subscribe(`/sub/participant/${chatId}`, (message) => {
        this.people = JSON.parse(message.body);
        this.people_seen += 1;
      });
    });
  }

  over(path) {
    const socket = new SockJS(this.base + path);
    this.sockets.push(socket);
    const client = Stomp.over(socket);
    client.debug = null;
    return client;
  }

  say(chatId, message) {
    this.chat.send("/send/chat/message", {}, JSON.stringify({ chatId, message }));
  }

  // "Go to list": three things that nothing keeps in order.
  goToList(chatId, order = ["put", "chat", "participants"]) {
    const steps = {
      put: () => this.ask("PUT", `open-chats/read/${chatId}`),
      chat: () => this.chat.disconnect(),
      participants: () => this.participants.disconnect(),
    };
    return Promise.all(order.map((step) => steps[step]()));
  }

  // The browser's Back: the list is shown, and asks; nothing closes.
  goBack() {
    return Promise.all([this.list(), this.mine()]);
  }

  leave(chatId) {
    this.chat.send("/send/chat/leave", {}, JSON.stringify({ chatId }));
    this.chat.disconnect();
    this.participants.disconnect();
  }

  // --- what a test asks ---------------------------------------------------------------------

  texts() {
    return this.lines.filter((one) => one.type === "MESSAGE").map((one) => one.message);
  }

  here() {
    return (this.people ?? []).filter((one) => one.isRead).map((one) => one.email);
  }

  away() {
    return (this.people ?? []).filter((one) => !one.isRead).map((one) => one.email);
  }
}
