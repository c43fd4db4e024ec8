/*
 * usage: mpi_mux [-q] SOCKET COMMAND
 *
 * Runs a command over the connection that an ssh keeps at SOCKET, its ControlPath, and ends with the command's status, or
 * with 255 where there was none, and with -q without a word about that. Does what `ssh -S SOCKET` does without what that
 * takes to start: a launch starts one for each node. The ssh that keeps the connection is given our three streams and does all the rest; the protocol is OpenSSH's
 * PROTOCOL.mux, section 2. When we are killed, our socket closes, and it ends the session.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { HELLO = 0x00000001, NEW_SESSION = 0x10000002 };
enum { DENIED = 0x80000002u, FAILURE = 0x80000003u, EXITED = 0x80000004u, OPENED = 0x80000006u };
enum { VERSION = 4, REQUEST = 0, NO_ESCAPE = 0xffffffffu };
enum { LONGEST = 1 << 18 }; /* what OpenSSH takes for a packet, in bytes */

static int quiet = 0;

static void fail(const char *format, ...) {
  va_list values;
  if (quiet) exit(255);
  va_start(values, format);
  fputs("mpi_mux: ", stderr);
  vfprintf(stderr, format, values);
  fputc('\n', stderr);
  va_end(values);
  exit(255);
}

/* A packet: 4 bytes of length, and so much of what follows. Numbers are of 4 bytes, high one first. */
struct packet {
  size_t length;
  unsigned char bytes[4 + LONGEST];
};

static void put_number(struct packet *packet, uint32_t number) {
  number = htonl(number);
  memcpy(packet->bytes + 4 + packet->length, &number, 4);
  packet->length += 4;
}

static void put_string(struct packet *packet, const char *string) {
  size_t length = strlen(string);
  if (packet->length + 4 + length > LONGEST) fail("the command is longer than %d bytes", LONGEST);
  put_number(packet, length);
  memcpy(packet->bytes + 4 + packet->length, string, length);
  packet->length += length;
}

static uint32_t number_at(const struct packet *packet, size_t index) {
  uint32_t number;
  if (packet->length < 4 * (index + 1)) fail("a packet of %zu bytes is too short", packet->length);
  memcpy(&number, packet->bytes + 4 + 4 * index, 4);
  return ntohl(number);
}

static void send_packet(int connection, struct packet *packet) {
  uint32_t length = htonl(packet->length);
  memcpy(packet->bytes, &length, 4);
  for (size_t sent = 0; sent < 4 + packet->length;) {
    ssize_t more = write(connection, packet->bytes + sent, 4 + packet->length - sent);
    if (more < 0 && errno != EINTR) fail("cannot write: %s", strerror(errno));
    if (more > 0) sent += more;
  }
}

/* Reads so many bytes; false when the connection ends before. */
static int read_bytes(int connection, unsigned char *bytes, size_t length) {
  for (size_t have = 0; have < length;) {
    ssize_t more = read(connection, bytes + have, length - have);
    if (more == 0 || (more < 0 && errno != EINTR)) return 0;
    if (more > 0) have += more;
  }
  return 1;
}

/* Reads a packet; false when the connection ends before. */
static int read_packet(int connection, struct packet *packet) {
  uint32_t length;
  if (!read_bytes(connection, (unsigned char *)&length, 4)) return 0;
  packet->length = ntohl(length);
  if (packet->length > LONGEST) fail("a packet of %zu bytes is too long", packet->length);
  return read_bytes(connection, packet->bytes + 4, packet->length);
}

/* Gives the other end one of our streams, with the one byte that has to go along. */
static void send_stream(int connection, int stream) {
  union {
    struct cmsghdr header;
    unsigned char bytes[CMSG_SPACE(sizeof(int))];
  } control = {0};
  struct iovec byte = {.iov_base = "", .iov_len = 1};
  struct msghdr message = {
      .msg_iov = &byte, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.bytes};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(header), &stream, sizeof stream);
  while (sendmsg(connection, &message, 0) < 0)
    if (errno != EINTR) fail("cannot hand over a stream: %s", strerror(errno));
}

static int connect_to(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) fail("the socket's path is too long: %s", path);
  strcpy(address.sun_path, path);
  int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connection < 0 || connect(connection, (struct sockaddr *)&address, sizeof address) < 0)
    fail("cannot connect to %s: %s", path, strerror(errno));
  return connection;
}

static void send_session(int connection, const char *command, struct packet *packet) {
  packet->length = 0;
  put_number(packet, NEW_SESSION);
  put_number(packet, REQUEST);
  put_string(packet, ""); /* reserved */
  for (int wish = 0; wish < 4; wish++) put_number(packet, 0); /* neither terminal nor X11 nor agent, and no subsystem */
  put_number(packet, NO_ESCAPE);
  put_string(packet, ""); /* the terminal's type */
  put_string(packet, command);
  send_packet(connection, packet);
  for (int stream = 0; stream < 3; stream++) send_stream(connection, stream);
}

int main(int count, char **words) {
  static struct packet packet;
  quiet = count > 1 && strcmp(words[1], "-q") == 0;
  if (count != 3 + quiet) fail("usage: mpi_mux [-q] SOCKET COMMAND");
  const char *path = words[1 + quiet], *command = words[2 + quiet];
  signal(SIGPIPE, SIG_IGN);
  int connection = connect_to(path);
  put_number(&packet, HELLO);
  put_number(&packet, VERSION);
  send_packet(connection, &packet);
  send_session(connection, command, &packet);

  /* The other end greets, opens the session, tells the status and then hangs up; who goes before that may lose output. */
  for (int status = 255;;) {
    if (!read_packet(connection, &packet)) return status;
    switch (number_at(&packet, 0)) {
      case HELLO:
        if (number_at(&packet, 1) != VERSION) fail("%s speaks version %u, not %d", path, number_at(&packet, 1), VERSION);
        break;
      case OPENED:
        break;
      case EXITED:
        status = number_at(&packet, 2);
        break;
      case DENIED:
      case FAILURE:
        if (number_at(&packet, 2) > packet.length - 12) fail("a reason is longer than its packet");
        fail("no session: %.*s", (int)number_at(&packet, 2), packet.bytes + 4 + 12);
        break;
      default:
        fail("an answer of type 0x%08x", number_at(&packet, 0));
    }
  }
}
