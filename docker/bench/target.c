/*
 * Servers whose latency is known exactly, and one that is as fast as it can be. HTTP/1.1, keep-alive, requests
 * without a body, one at a time on a connection; one thread; loopback.
 *
 *   target <port> trivial            answers at once
 *   target <port> constant <ms>      answers every request that long after its arrival in the kernel
 *   target <port> bimodal <ms> <ms>  the first time, and every tenth request the second
 *   target <port> stall              answers nothing in the first second of every four, and then all that came
 *   target <port> queue <rate>       serves one request after another, <rate> a second
 *
 * Prints "ready" once it listens, and at every SIGUSR1 how many requests it has had and what 99 in 100 of its timed
 * answers were late at the most, in microseconds: that much of a latency is its own.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_FDS 65536
#define MAX_EVENTS 512
#define SECOND 1000000000LL
#define MS 1000000LL

enum mode { TRIVIAL, CONSTANT, BIMODAL, STALL, QUEUE };

/* An answer that waits for its time; `life` tells a connection from a later one of the same number. */
struct due {
  int64_t at;
  int fd;
  unsigned life;
};

static const char ANSWER[] =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{\"ok\":true}";

static enum mode mode;
static double first, second;
static int64_t origin, last_end;
/* When the kernel had what is being read. */
static int64_t arrived;
static unsigned long served;
static volatile sig_atomic_t asked;
static unsigned lives[MAX_FDS];
/* How many bytes of the blank line that ends a head have been seen. */
static unsigned char ends[MAX_FDS];
static struct due heap[MAX_FDS];
static int waiting;
/* How many timed answers were so late, in tenths of a millisecond. */
static unsigned long late[10000];
static unsigned long timed;

static int64_t nanoseconds(struct timespec t) {
  return t.tv_sec * SECOND + t.tv_nsec;
}

static int64_t clock_of(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return nanoseconds(t);
}

static int64_t now(void) {
  return clock_of(CLOCK_MONOTONIC);
}

/* The kernel's time stamp of a message, on the clock of `now`. Others may have had the CPU since then. */
static int64_t arrival_of(struct msghdr *message) {
  int64_t t = now();
  for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
    if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
      struct timespec stamp;
      memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
      int64_t at = nanoseconds(stamp) - (clock_of(CLOCK_REALTIME) - t);
      return at < t ? at : t;
    }
  }
  return t;
}

static void answer(int fd) {
  if (send(fd, ANSWER, sizeof ANSWER - 1, MSG_NOSIGNAL) < 0) return;
}

static void swap(int a, int b) {
  struct due kept = heap[a];
  heap[a] = heap[b];
  heap[b] = kept;
}

static void push(struct due due) {
  if (waiting == MAX_FDS) return;
  int at = waiting++;
  heap[at] = due;
  while (at > 0 && heap[(at - 1) / 2].at > heap[at].at) {
    swap(at, (at - 1) / 2);
    at = (at - 1) / 2;
  }
}

static struct due pop(void) {
  struct due top = heap[0];
  heap[0] = heap[--waiting];
  for (int at = 0;;) {
    int least = at;
    if (2 * at + 1 < waiting && heap[2 * at + 1].at < heap[least].at) least = 2 * at + 1;
    if (2 * at + 2 < waiting && heap[2 * at + 2].at < heap[least].at) least = 2 * at + 2;
    if (least == at) return top;
    swap(at, least);
    at = least;
  }
}

static void note_late(int64_t ns) {
  int64_t tenth = ns / (MS / 10);
  late[tenth < 9999 ? tenth : 9999]++;
  timed++;
}

static int64_t late_p99_us(void) {
  unsigned long more = timed / 100;
  int tenth = 9999;
  for (unsigned long seen = 0; tenth > 0 && (seen += late[tenth]) <= more; tenth--) continue;
  return timed == 0 ? 0 : tenth * 100 + 50;
}

static void answer_due(void) {
  for (int64_t t; waiting > 0 && heap[0].at <= (t = now());) {
    struct due due = pop();
    note_late(t - due.at);
    if (lives[due.fd] == due.life) answer(due.fd);
  }
}

/* When a request is to be answered that arrived at `t`; 0: at once. */
static int64_t due_time(int64_t t) {
  switch (mode) {
    case CONSTANT:
      return t + (int64_t)(first * MS);
    case BIMODAL:
      return t + (int64_t)((served % 10 == 0 ? second : first) * MS);
    case STALL: {
      int64_t in_cycle = (t - origin) % (4 * SECOND);
      return in_cycle < SECOND ? t - in_cycle + SECOND : 0;
    }
    case QUEUE:
      last_end = (last_end > t ? last_end : t) + (int64_t)(SECOND / first);
      return last_end;
    default:
      return 0;
  }
}

static void on_request(int fd) {
  served++;
  int64_t at = mode == TRIVIAL ? 0 : due_time(arrived);
  if (at == 0) {
    answer(fd);
    return;
  }
  push((struct due){.at = at, .fd = fd, .life = lives[fd]});
}

static void on_readable(int fd) {
  char buffer[16384];
  char control[CMSG_SPACE(sizeof(struct timespec))];
  struct iovec bytes = {.iov_base = buffer, .iov_len = sizeof buffer};
  struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT);
  if (n <= 0) {
    lives[fd]++;
    close(fd);
    return;
  }
  if (mode != TRIVIAL) arrived = arrival_of(&message);
  /* The usual case: one whole request. */
  if (ends[fd] == 0 && n >= 4 && memcmp(buffer + n - 4, "\r\n\r\n", 4) == 0 &&
      memmem(buffer, (size_t)n - 1, "\r\n\r\n", 4) == NULL) {
    on_request(fd);
    return;
  }
  static const char END[] = "\r\n\r\n";
  for (ssize_t i = 0; i < n; i++) {
    ends[fd] = buffer[i] == END[ends[fd]] ? ends[fd] + 1 : buffer[i] == '\r';
    if (ends[fd] == 4) {
      ends[fd] = 0;
      on_request(fd);
    }
  }
}

static void on_connection(int listener, int epoll) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    if (fd >= MAX_FDS) {
      close(fd);
      continue;
    }
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (mode != TRIVIAL) setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    lives[fd]++;
    ends[fd] = 0;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  }
}

static int listen_on(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 4096) != 0) {
    perror("target");
    exit(1);
  }
  return fd;
}

static enum mode mode_of(const char *name) {
  static const char *const NAMES[] = {"trivial", "constant", "bimodal", "stall", "queue"};
  for (int i = 0; i < 5; i++) {
    if (strcmp(name, NAMES[i]) == 0) return (enum mode)i;
  }
  fprintf(stderr, "target: no mode \"%s\"\n", name);
  exit(2);
}

static void on_question(int number) {
  (void)number;
  asked = 1;
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: target <port> <mode> [figure ...]\n");
    return 2;
  }
  mode = mode_of(argv[2]);
  first = argc > 3 ? atof(argv[3]) : 1;
  second = argc > 4 ? atof(argv[4]) : 1;
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGUSR1, on_question);
  int epoll = epoll_create1(EPOLL_CLOEXEC), listener = listen_on(atoi(argv[1]));
  struct epoll_event events[MAX_EVENTS] = {{.events = EPOLLIN, .data.fd = listener}};
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &events[0]);
  origin = now();
  printf("ready\n");
  fflush(stdout);
  for (;;) {
    /* While an answer is due soon it stays awake: an idle CPU takes its time to come back, on virtual machines above all. */
    int n = epoll_wait(epoll, events, MAX_EVENTS, waiting > 0 ? 0 : -1);
    if (waiting > 0) answer_due();
    if (asked) {
      asked = 0;
      printf("%lu %lld\n", served, (long long)late_p99_us());
      fflush(stdout);
    }
    for (int i = 0; i < n; i++) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        on_connection(listener, epoll);
      } else {
        on_readable(fd);
      }
    }
  }
}
