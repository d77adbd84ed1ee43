// The chat that people build with Socket.IO: a room to join, messages kept by PostgreSQL, other
// processes reached through Redis. `npm ci` brings what it needs; NODE_PATH says where that is.
//
//   PORT, REDIS_SOCKET, PERSIST (1 or 0), and for PostgreSQL PGHOST, PGUSER, PGDATABASE

const { createServer } = require("node:http");

const { createAdapter } = require("@socket.io/redis-adapter");
const { Redis } = require("ioredis");
const { Pool } = require("pg");
const { Server } = require("socket.io");

const KEEP = "INSERT INTO message (room, body) VALUES ($1, $2) RETURNING id";

const publisher = new Redis({ path: process.env.REDIS_SOCKET });
const io = new Server({
  adapter: createAdapter(publisher, publisher.duplicate()),
  transports: ["websocket"],
  serveClient: false,
});

function keeper() {
  let last = 0;
  if (process.env.PERSIST !== "1") return async () => ++last;
  const pool = new Pool({ max: 8 });
  pool.on("error", console.error); // an idle connection ended; the next query opens one
  return async (room, body) => Number((await pool.query(KEEP, [room, body])).rows[0].id);
}

const keep = keeper();

async function post(socket, message) {
  const { room, body } = message ?? {};
  if (!socket.rooms.has(room)) return;
  try {
    // Eight may be under way, so one person's messages may overtake each other: the usual set-up.
    const id = await keep(room, body);
    io.to(room).emit("msg", { id, body, room });
  } catch (error) {
    console.error(error);
    socket.emit("refused", { room, body });
  }
}

io.on("connection", (socket) => {
  socket.on("join", async (room) => {
    await socket.join(room);
    socket.emit("joined", room);
  });
  socket.on("msg", (message) => post(socket, message));
});

const http = createServer();
io.attach(http);
http.listen({ host: "127.0.0.1", port: Number(process.env.PORT), backlog: 4096 });
