// Tells what a process in a container may do. Built statically with clang by IsolationAuditTests and put into the image.
//   probe filter ABI     for every system call number the verdict of the filters: passes, killed, or an errno
//   probe calls          for every number what the kernel answers to arguments that are of no use to anybody
//   probe process        what this process is: dumpable, keyring, parent death signal, …
//   probe device T M N   whether a device node T (c or b) can be made, and whether it opens
//
// "filter" executes no call. A child puts a filter of its own on top, which asks its parent about that one number: the
// kernel takes the strictest verdict, and refusal is stricter than a question. So the parent is asked if and only if the
// container's filters let the call pass, and answers with an errno that no call has.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LAST = 470, PASSES = 4000, X32 = 0x40000000 };

struct shared {
    volatile int listener; // the descriptor's number, or -errno; 0 not yet
    volatile int go;
    volatile long answer;
};

static struct shared *shared;
static unsigned number;
static int old_abi; // int 0x80

static long call_i386(unsigned nr)
{
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(nr), "b"(0), "c"(0), "d"(0), "S"(0), "D"(0) : "memory", "r8", "r9", "r10", "r11");
    return (int)result;
}

static long call_raw(unsigned nr)
{
    long result;
    register long r10 __asm__("r10") = 0, r8 __asm__("r8") = 0, r9 __asm__("r9") = 0;
    __asm__ volatile("syscall" : "=a"(result) : "a"((long)nr), "D"(0), "S"(0), "d"(0), "r"(r10), "r"(r8), "r"(r9) : "memory", "rcx", "r11");
    return result;
}

// shares the descriptors with its parent, which therefore has the listener without a call that could be the one in question
static int asked_child(void *unused)
{
    (void)unused;
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, old_abi ? AUDIT_ARCH_I386 : AUDIT_ARCH_X86_64, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof code / sizeof code[0], code };
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    long listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
    shared->listener = listener < 0 ? -errno : (int)listener;
    while (!shared->go) {
    }

    shared->answer = old_abi ? call_i386(number) : call_raw(number);
    // the way out may be the call in question, so it is not taken: the parent ends us
    shared->go = 2;
    for (;;) {
    }
}

static void filter_verdict(void)
{
    static char stack[64 * 1024] __attribute__((aligned(16)));
    memset((void *)shared, 0, sizeof *shared);
    shared->answer = 1;
    pid_t child = clone(asked_child, stack + sizeof stack, CLONE_FILES | SIGCHLD, NULL);
    if (child < 0) {
        printf("%u fork-errno-%d\n", number, errno);
        return;
    }

    while (shared->listener == 0) {
        if (waitpid(child, NULL, WNOHANG) == child) {
            printf("%u no-listener\n", number);
            return;
        }
    }

    int listener = shared->listener;
    if (listener < 0) {
        printf("%u seccomp-errno-%d\n", number, -listener);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        return;
    }

    shared->go = 1;
    int status, ended = 0;
    for (;;) {
        struct pollfd ready = { listener, POLLIN, 0 };
        poll(&ready, 1, 1);
        if (ready.revents & POLLIN) {
            struct seccomp_notif question = { 0 };
            if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &question) == 0) {
                struct seccomp_notif_resp answer = { question.id, 0, -PASSES, 0 };
                ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
            }
        }

        if (shared->go == 2) {
            break;
        }

        if (waitpid(child, &status, WNOHANG) == child) {
            ended = 1;
            break;
        }
    }

    close(listener);
    if (ended) {
        printf("%u %s\n", number, WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS ? "killed" : "ended");
        return;
    }

    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    if (shared->answer == -PASSES) {
        printf("%u passes\n", number);
    } else {
        printf("%u %ld\n", number, -shared->answer);
    }
}

// what does not come back, or is felt outside of this container, with any arguments
static const char *left_out(unsigned nr)
{
    switch (nr) {
    case SYS_exit: case SYS_exit_group: return "ends the process";
    case SYS_pause: case SYS_rt_sigsuspend: return "waits for ever";
    case SYS_rt_sigreturn: return "takes its state from the stack";
    case SYS_fork: case SYS_vfork: case SYS_clone: return "returns twice";
    case SYS_sync: return "is felt by the whole machine";
    case SYS_vhangup: return "hangs up the terminal";
    default: return 0;
    }
}

static void real_answer(unsigned nr)
{
    const char *why = left_out(nr);
    if (why) {
        printf("%u left out: %s\n", nr, why);
        return;
    }

    shared->answer = 1;
    pid_t child = fork();
    if (child == 0) {
        // no useful pointer, descriptor, process or flag; arguments of -1 would name "everybody" to kill and others
        long bad = 0x7ffffffffff0;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (int i = 1; i < 32; i++) {
            signal(i, SIG_DFL);
        }

        shared->answer = nr == SYS_kill || nr == SYS_tkill || nr == SYS_tgkill || nr == SYS_rt_sigqueueinfo || nr == SYS_rt_tgsigqueueinfo
            ? syscall(nr, 0x7ffffff0, 0x7ffffff0, 0x7ffffff0, bad, bad, bad)
            : syscall(nr, bad, bad, bad, bad, bad, bad);
        shared->answer = shared->answer < 0 ? errno : 0;
        shared->go = 2;
        _exit(0);
    }

    shared->go = 0;
    for (int waited = 0; waited < 400; waited++) {
        int status;
        if (waitpid(child, &status, WNOHANG) == child) {
            if (WIFSIGNALED(status)) {
                printf("%u signal-%d\n", nr, WTERMSIG(status));
            } else {
                printf("%u %ld\n", nr, shared->answer);
            }

            return;
        }

        usleep(1000);
    }

    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    printf("%u waits\n", nr);
}

static void process_facts(void)
{
    printf("dumpable %d\n", prctl(PR_GET_DUMPABLE));
    int signal_number = -1;
    prctl(PR_GET_PDEATHSIG, &signal_number);
    printf("pdeathsig %d\n", signal_number);
    printf("securebits %d\n", prctl(PR_GET_SECUREBITS));
    printf("in-the-session-of-1 %d\n", getsid(0) == getsid(1));
    printf("thp-disable %d\n", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
    long keyring = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
    printf("keyctl %s\n", keyring < 0 ? strerror(errno) : "answers");
    mode_t mask = umask(0);
    umask(mask);
    printf("umask %04o\n", (unsigned)mask);
}

static void device(char type, unsigned major_number, unsigned minor_number)
{
    const char *path = "/probe-device";
    unlink(path);
    if (mknod(path, (type == 'b' ? S_IFBLK : S_IFCHR) | 0600, makedev(major_number, minor_number)) < 0) {
        printf("mknod: %s\n", strerror(errno));
        return;
    }

    int descriptor = open(path, O_RDONLY | O_NONBLOCK);
    if (descriptor < 0) {
        printf("open: %s\n", strerror(errno));
    } else {
        printf("opens\n");
    }

    unlink(path);
}

int main(int count, char **arguments)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    const char *verb = count > 1 ? arguments[1] : "";
    if (strcmp(verb, "filter") == 0) {
        const char *abi = count > 2 ? arguments[2] : "x64";
        old_abi = strcmp(abi, "x86") == 0;
        for (unsigned nr = 0; nr <= LAST; nr++) {
            number = strcmp(abi, "x32") == 0 ? nr | X32 : nr;
            filter_verdict();
        }
    } else if (strcmp(verb, "calls") == 0) {
        for (unsigned nr = 0; nr <= LAST; nr++) {
            real_answer(nr);
        }
    } else if (strcmp(verb, "process") == 0) {
        process_facts();
    } else if (strcmp(verb, "device") == 0 && count == 5) {
        device(arguments[2][0], (unsigned)atoi(arguments[3]), (unsigned)atoi(arguments[4]));
    } else {
        return 2;
    }

    return 0;
}
