// Rooms by Bun's native publish/subscribe: each text message goes as it came to all of its path.
// bun rooms.js PORT

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.argv[2]),
  fetch(request, server) {
    const room = new URL(request.url).pathname;
    if (server.upgrade(request, { data: { room } })) return undefined;
    return new Response("This speaks WebSocket.", { status: 426 });
  },
  websocket: {
    idleTimeout: 0, // who only listens is not cut off
    open: (socket) => socket.subscribe(socket.data.room),
    message: (socket, text) => server.publish(socket.data.room, text),
  },
});
