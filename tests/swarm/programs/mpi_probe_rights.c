/* What a hostile program would try first. Prints, for each attempt, why it failed, or "done". */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Says what came of an attempt: a result below 0 is its failure. */
static void tell(const char *attempt, long result) {
  printf("%s: %s\n", attempt, result < 0 ? strerrorname_np(errno) : "done");
}

static void try_write(const char *path) {
  char attempt[256];
  snprintf(attempt, sizeof attempt, "write %s", path);
  int file = open(path, O_WRONLY | O_APPEND);
  tell(attempt, file);
  if (file >= 0) close(file);
}

static void try_create(const char *folder) {
  char path[256], attempt[256];
  snprintf(path, sizeof path, "%s/probe", folder);
  snprintf(attempt, sizeof attempt, "make a file in %s", folder);
  int file = open(path, O_WRONLY | O_CREAT, 0600);
  tell(attempt, file);
  if (file >= 0) close(file), unlink(path);
}

int main(void) {
  gid_t root = 0;
  char name[64] = "other";

  tell("join root's group", setgroups(1, &root));
  tell("change root", chroot("/tmp"));
  tell("mount", mount("tmpfs", "/mnt", "tmpfs", 0, NULL));
  tell("make /proc/sys writable", mount(NULL, "/proc/sys", NULL, MS_REMOUNT | MS_BIND, NULL));
  tell("take a mount away", umount("/etc/hosts"));
  tell("make a user namespace", unshare(CLONE_NEWUSER));
  tell("make a network namespace", unshare(CLONE_NEWNET));
  tell("make a device", mknod("/tmp/probe", S_IFBLK | 0600, makedev(254, 0)));
  tell("open a raw socket", socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
  tell("open a packet socket", socket(AF_PACKET, SOCK_RAW, 0));
  tell("rename the host", sethostname(name, strlen(name)));
  tell("load a kernel module", syscall(SYS_init_module, "", 0, ""));
  tell("load a BPF program", syscall(SYS_bpf, 5, "", 0));
  tell("open a file by its number", syscall(SYS_open_by_handle_at, AT_FDCWD, "", 0));
  tell("watch the whole machine", syscall(SYS_perf_event_open, "", -1, 0, -1, 0));
  tell("take a key of the kernel", syscall(SYS_keyctl, 0, -3, 0));
  tell("go before others", setpriority(PRIO_PROCESS, 0, -20));
  try_write("/proc/sys/kernel/core_pattern");
  try_write("/sys/class/net/lo/mtu");
  try_write("/dev/mem");
  try_write("/dev/kmsg");
  try_write("/etc/passwd");
  try_write("/etc/hosts");
  try_write("/usr/local/bin/mpi_node");
  try_write("/run/secrets/host_key");
  tell("read /etc/shadow", open("/etc/shadow", O_RDONLY));
  tell("read /proc/kcore", open("/proc/kcore", O_RDONLY));
  try_create("/");
  try_create("/etc");
  try_create("/usr/local/bin");
  try_create("/run");
  try_create("/dev");
  try_create("/tmp");
  tell("become root", setresuid(0, 0, 0));
  tell("become another user", setresuid(1, 1, 1));
  return 0;
}
