/*
 * The first process of a pod. It holds the network namespace and looks at it from inside, because nothing
 * outside can reach a pod's loopback.
 *
 * Requests on stdin and answers on stdout, one line each; an answer carries its request's id:
 *   <id> probe <port> <timeout ms> <path>  ->  <id> answered 4|6 <status> | <id> refused | <id> timeout | <id> bad <why>
 *   <id> listeners                         ->  <id> listeners <hex address>:<hex port> ...   as in /proc/net/tcp
 *   <id> sockets                           ->  <id> sockets <count>
 * Anything else is answered "<id> error <why>". End of input, SIGTERM and SIGINT end it; "pause hold" reads nothing
 * and only waits for a signal.
 *
 * Services answer probes with whatever they like. Of that, a bounded status line is read and three digits are
 * passed on; the rest is read into nowhere.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_PROBES 8
#define MAX_LINE 2048
#define MAX_ID 20
#define MAX_TIMEOUT_MS 60000
/* "HTTP/1.1 200" is all that is needed of an answer. */
#define STATUS_BYTES 12
#define DISCARD_BYTES 65536
#define DISCARD_MS 200
#define MAX_LISTENERS 512

enum state { FREE, CONNECTING, SENDING, READING, DISCARDING };

struct probe {
  enum state state;
  int fd;
  int family;
  int port;
  long deadline_ms;
  char id[MAX_ID + 1];
  char request[MAX_LINE + 256];
  size_t request_bytes;
  size_t sent_bytes;
  char status[STATUS_BYTES];
  size_t status_bytes;
  size_t discarded_bytes;
};

static struct probe probes[MAX_PROBES];

static long now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000L + t.tv_nsec / 1000000L;
}

/* Answers are far shorter than a pipe; a host that reads none of them for 64 KiB gets no more. */
static void write_all(const char *text, size_t bytes) {
  while (bytes > 0) {
    ssize_t n = write(STDOUT_FILENO, text, bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) _exit(0);
    text += n;
    bytes -= (size_t)n;
  }
}

static void answer(const char *id, const char *text) {
  char line[MAX_ID + 128];
  int n = snprintf(line, sizeof line, "%s %s\n", id, text);
  if (n > 0 && (size_t)n < sizeof line) write_all(line, (size_t)n);
}

static void close_probe(struct probe *p) {
  if (p->fd >= 0) close(p->fd);
  p->fd = -1;
  p->state = FREE;
}

static void finish(struct probe *p, const char *text) {
  answer(p->id, text);
  close_probe(p);
}

/* Begins a connection. Returns 0 when it is under way or done, else the errno. */
static int connect_to(struct probe *p, int family) {
  p->family = family;
  p->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (p->fd < 0) return errno;
  int r;
  if (family == AF_INET) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)p->port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    r = connect(p->fd, (struct sockaddr *)&a, sizeof a);
  } else {
    struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)p->port)};
    a.sin6_addr = in6addr_loopback;
    r = connect(p->fd, (struct sockaddr *)&a, sizeof a);
  }
  p->state = CONNECTING;
  return r == 0 || errno == EINPROGRESS ? 0 : errno;
}

/* Nothing listens on IPv4: the same port on IPv6, else the end of this probe. */
static void connect_failed(struct probe *p) {
  if (p->fd >= 0) close(p->fd);
  p->fd = -1;
  if (p->family == AF_INET && connect_to(p, AF_INET6) == 0) return;
  finish(p, "refused");
}

static void on_status(struct probe *p) {
  const char *s = p->status;
  if (memcmp(s, "HTTP/1.", 7) != 0 || s[8] != ' ' || !isdigit((unsigned char)s[7]) ||
      !isdigit((unsigned char)s[9]) || !isdigit((unsigned char)s[10]) || !isdigit((unsigned char)s[11])) {
    finish(p, "bad not-http");
    return;
  }
  char text[32];
  snprintf(text, sizeof text, "answered %c %c%c%c", p->family == AF_INET ? '4' : '6', s[9], s[10], s[11]);
  answer(p->id, text);
  /* Closing with unread bytes would reset the connection, which some services log as an error. */
  p->state = DISCARDING;
  p->deadline_ms = now_ms() + DISCARD_MS;
}

static void on_readable(struct probe *p) {
  char buffer[4096];
  size_t wanted = p->state == READING ? STATUS_BYTES - p->status_bytes : sizeof buffer;
  ssize_t n = recv(p->fd, buffer, wanted, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (p->state == DISCARDING) {
    if (n > 0) p->discarded_bytes += (size_t)n;
    if (n <= 0 || p->discarded_bytes > DISCARD_BYTES) close_probe(p);
    return;
  }
  if (n <= 0) {
    finish(p, n == 0 ? "bad closed" : "bad reset");
    return;
  }
  memcpy(p->status + p->status_bytes, buffer, (size_t)n);
  p->status_bytes += (size_t)n;
  if (p->status_bytes == STATUS_BYTES) on_status(p);
}

static void on_writable(struct probe *p) {
  if (p->state == CONNECTING) {
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) {
      connect_failed(p);
      return;
    }
    p->state = SENDING;
  }
  ssize_t n = send(p->fd, p->request + p->sent_bytes, p->request_bytes - p->sent_bytes, MSG_NOSIGNAL);
  if (n < 0 && errno != EAGAIN && errno != EINTR) {
    finish(p, "bad reset");
    return;
  }
  if (n > 0) p->sent_bytes += (size_t)n;
  if (p->sent_bytes == p->request_bytes) p->state = READING;
}

static void start_probe(const char *id, const char *arguments) {
  int port = 0, timeout_ms = 0, at = 0;
  if (sscanf(arguments, "%d %d %n", &port, &timeout_ms, &at) < 2 || port < 1 || port > 65535 || timeout_ms < 1 ||
      timeout_ms > MAX_TIMEOUT_MS || arguments[at] != '/') {
    answer(id, "error probe-arguments");
    return;
  }
  struct probe *p = NULL;
  for (int i = 0; i < MAX_PROBES && p == NULL; i++) {
    if (probes[i].state == FREE) p = &probes[i];
  }
  if (p == NULL) {
    answer(id, "error too-many-probes");
    return;
  }
  memset(p, 0, sizeof *p);
  p->fd = -1;
  p->port = port;
  p->deadline_ms = now_ms() + timeout_ms;
  strcpy(p->id, id);
  int n = snprintf(p->request, sizeof p->request,
                   "GET %s HTTP/1.1\r\nHost: localhost:%d\r\nAccept: */*\r\nConnection: close\r\n\r\n", arguments + at,
                   port);
  p->request_bytes = (size_t)n;
  if (connect_to(p, AF_INET) != 0) connect_failed(p);
}

/* Walks one of the kernel's socket tables. Returns how many it holds; prints what listens when `limit` allows. */
static int walk_table(const char *path, int *limit) {
  FILE *table = fopen(path, "re");
  if (table == NULL) return 0;
  char line[512], address[40];
  unsigned port, socket_state;
  int count = 0;
  while (fgets(line, sizeof line, table) != NULL) {
    if (sscanf(line, " %*d: %39[0-9A-F]:%x %*[0-9A-F]:%*x %x", address, &port, &socket_state) != 3) continue;
    count++;
    if (limit != NULL && socket_state == 0x0A && *limit > 0) {
      char item[64];
      int n = snprintf(item, sizeof item, " %s:%04X", address, port & 0xFFFF);
      write_all(item, (size_t)n);
      (*limit)--;
    }
  }
  fclose(table);
  return count;
}

static void list_listeners(const char *id) {
  int limit = MAX_LISTENERS;
  write_all(id, strlen(id));
  write_all(" listeners", 10);
  walk_table("/proc/net/tcp", &limit);
  walk_table("/proc/net/tcp6", &limit);
  write_all("\n", 1);
}

static void count_sockets(const char *id) {
  char text[32];
  snprintf(text, sizeof text, "sockets %d", walk_table("/proc/net/tcp", NULL) + walk_table("/proc/net/tcp6", NULL));
  answer(id, text);
}

static void on_line(char *line) {
  char *verb = strchr(line, ' ');
  if (verb == NULL || verb == line || verb - line > MAX_ID) {
    answer("0", "error no-id");
    return;
  }
  *verb++ = '\0';
  if (strncmp(verb, "probe ", 6) == 0) {
    start_probe(line, verb + 6);
  } else if (strcmp(verb, "listeners") == 0) {
    list_listeners(line);
  } else if (strcmp(verb, "sockets") == 0) {
    count_sockets(line);
  } else {
    answer(line, "error unknown-request");
  }
}

static void read_requests(void) {
  static char buffer[MAX_LINE];
  static size_t fill;
  ssize_t n = read(STDIN_FILENO, buffer + fill, sizeof buffer - fill);
  if (n < 0 && errno == EINTR) return;
  /* The owner let go of us, or is dead. */
  if (n <= 0) _exit(0);
  fill += (size_t)n;
  char *start = buffer, *end;
  while ((end = memchr(start, '\n', fill - (size_t)(start - buffer))) != NULL) {
    *end = '\0';
    on_line(start);
    start = end + 1;
  }
  fill -= (size_t)(start - buffer);
  memmove(buffer, start, fill);
  if (fill == sizeof buffer) _exit(1);
}

/* Ends the probes whose time is up. Returns how long poll may sleep, ms; -1 for as long as it likes. */
static int expire_probes(void) {
  long now = now_ms(), next = -1;
  for (int i = 0; i < MAX_PROBES; i++) {
    struct probe *p = &probes[i];
    if (p->state == FREE) continue;
    if (p->deadline_ms <= now) {
      if (p->state == DISCARDING) {
        close_probe(p);
      } else {
        finish(p, "timeout");
      }
    } else if (next < 0 || p->deadline_ms - now < next) {
      next = p->deadline_ms - now;
    }
  }
  return (int)next;
}

static void serve(void) {
  for (;;) {
    struct pollfd fds[MAX_PROBES + 1] = {{.fd = STDIN_FILENO, .events = POLLIN}};
    int wait_ms = expire_probes();
    for (int i = 0; i < MAX_PROBES; i++) {
      int writes = probes[i].state == CONNECTING || probes[i].state == SENDING;
      fds[i + 1].fd = probes[i].state == FREE ? -1 : probes[i].fd;
      fds[i + 1].events = writes ? POLLOUT : POLLIN;
    }
    if (poll(fds, MAX_PROBES + 1, wait_ms) < 0) continue;
    for (int i = 0; i < MAX_PROBES; i++) {
      if (fds[i + 1].fd < 0 || fds[i + 1].revents == 0) continue;
      if (probes[i].state == CONNECTING || probes[i].state == SENDING) {
        on_writable(&probes[i]);
      } else {
        on_readable(&probes[i]);
      }
    }
    if (fds[0].revents != 0) read_requests();
  }
}

static void on_signal(int number) {
  (void)number;
  _exit(0);
}

int main(int argc, char **argv) {
  /* As process 1 it would not die of a signal that it does not handle. */
  signal(SIGTERM, on_signal);
  signal(SIGINT, on_signal);
  signal(SIGPIPE, SIG_IGN);
  if (argc > 1 && strcmp(argv[1], "hold") == 0) {
    for (;;) pause();
  }
  serve();
}
