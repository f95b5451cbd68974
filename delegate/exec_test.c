/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/time_test.h"
#include "delegate/exec.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include "delegate/test_dir.h"
#include "lib/base/clock.h"

static const char *const path_env[] = {"PATH=/usr/bin:/bin", NULL};

static struct exec_run run_of(const char *path)
{
	return (struct exec_run){
		.name = "p",
		.path = path,
		.env = (char *const *)path_env,
		.input = {"{}", 2},
		.deadline_ms = clock_now_ms() + test_ms(20000),
		.cancel_fd = -1,
	};
}

/* Runs a script that must fail; the error is in *e. */
static void must_fail(const char *body, struct err *e)
{
	AUTO(exec_output_done) struct exec_output out = EXEC_OUTPUT_INIT;
	AUTO(free) char *path = test_script("plugin", body);
	struct exec_run run = run_of(path);

	assert_int_equal(exec_run(&run, &out, e), -1);
	assert_null(out.out);
	assert_null(out.err);
}

static void must_print(const char *body, const char *want)
{
	AUTO(exec_output_done) struct exec_output out = EXEC_OUTPUT_INIT;
	AUTO(free) char *path = test_script("plugin", body);
	struct exec_run run = run_of(path);
	struct err e = {0};

	if (exec_run(&run, &out, &e) < 0)
		fail_msg("%s", e.msg);
	assert_string_equal(out.out, want);
	assert_int_equal(out.out_len, strlen(want));
}

static void bytes_in_bytes_out(void **state)
{
	AUTO(exec_output_done) struct exec_output out = EXEC_OUTPUT_INIT;
	AUTO(free) char *path = test_script("plugin", "cat; echo note >&2");
	AUTO(free) char *big = xmalloc(1000000);
	struct exec_run run = run_of(path);
	struct err e = {0};
	size_t i;

	(void)state;
	for (i = 0; i < 1000000; i++)
		big[i] = (char)(i * 7919 >> 3);
	run.input = (struct jspan){big, 1000000};
	assert_int_equal(exec_run(&run, &out, &e), 0);
	assert_int_equal(out.out_len, 1000000);
	assert_memory_equal(out.out, big, 1000000);
	assert_string_equal(out.err, "note\n");
	assert_int_equal(out.err_len, 5);
}

static void stdin_may_be_left_unread(void **state)
{
	AUTO(exec_output_done) struct exec_output out = EXEC_OUTPUT_INIT;
	AUTO(free) char *path = test_script("plugin", "exec <&-; echo ok");
	AUTO(free) char *big = xcalloc(1, 1000000);
	struct exec_run run = run_of(path);
	struct err e = {0};

	(void)state;
	run.input = (struct jspan){big, 1000000};
	assert_int_equal(exec_run(&run, &out, &e), 0);
	assert_string_equal(out.out, "ok\n");
}

static void the_environment_is_the_given_one(void **state)
{
	static const char *const env[] = {"A=1", "B=x y", NULL};
	AUTO(exec_output_done) struct exec_output out = EXEC_OUTPUT_INIT;
	struct exec_run run = run_of("/usr/bin/env");
	struct err e = {0};

	(void)state;
	run.env = (char *const *)env;
	assert_int_equal(exec_run(&run, &out, &e), 0);
	assert_string_equal(out.out, "A=1\nB=x y\n");
}

static void the_delegates_own_error(void **state)
{
	struct err e = {0};

	(void)state;
	must_fail(
		"echo '{\"cniVersion\":\"1.0.0\",\"code\":11,\"msg\":\"busy\",\"details\":\"d\"}';"
		"exit 1",
		&e);
	assert_string_equal(e.msg, "plugin \"p\" failed: busy; d");
	assert_int_equal(e.kind, ERR_DELEGATE);
	assert_int_equal(e.num, 11);
	must_fail("echo '{\"code\":7,\"msg\":\"bad conf\"}'; echo noise >&2; exit 3", &e);
	assert_string_equal(e.msg, "plugin \"p\" failed: bad conf");
	assert_int_equal(e.num, 7);
}

static void an_error_without_an_object(void **state)
{
	struct err e = {0};

	(void)state;
	must_fail("echo first >&2; echo second >&2; exit 2", &e);
	assert_string_equal(e.msg, "plugin \"p\" failed with exit status 2: first\nsecond");
	assert_int_equal(e.kind, ERR_DELEGATE);
	assert_int_equal(e.num, 0);
	must_fail("echo '{\"code\":\"x\"}'; echo text >&2; exit 1", &e);
	assert_string_equal(e.msg, "plugin \"p\" failed with exit status 1: text");
	must_fail("echo '{\"code\":7,'; exit 1", &e);
	assert_string_equal(e.msg, "plugin \"p\" failed with exit status 1: it gave no reason");
	must_fail("kill -9 $$", &e);
	assert_string_equal(e.msg, "plugin \"p\" was killed by signal 9: ");
	assert_int_equal(e.kind, ERR_DELEGATE);
}

/* Gone, or a zombie that only its new parent can take away. */
static bool is_dead(const char *pid_text)
{
	AUTO(free) char *path = xasprintf("/proc/%d/stat", (int)strtol(pid_text, NULL, 10));
	AUTO(free) char *stat = NULL;
	struct err e;
	size_t len;

	if (io_read_file(path, 4096, &stat, &len, &e) < 0)
		return true;
	return strstr(stat, ") Z ") != NULL;
}

static void must_die(const char *pid_file)
{
	AUTO(free) char *pid = test_read(pid_file);
	int64_t end = clock_now_ms() + test_ms(5000);

	assert_non_null(pid);
	while (!is_dead(pid) && clock_left_ms(end))
		poll(NULL, 0, 5);
	assert_true(is_dead(pid));
}

static void the_deadline_kills_the_group(void **state)
{
	AUTO(exec_output_done) struct exec_output out = EXEC_OUTPUT_INIT;
	AUTO(free)
	char *path = test_script("plugin", "sleep 300 & echo $! >$D/grandchild; echo $$ >$D/child; "
					   "trap '' TERM; wait; wait");
	struct exec_run run = run_of(path);
	struct err e = {0};
	int64_t start = clock_now_ms();

	(void)state;
	run.deadline_ms = start + 400;
	assert_int_equal(exec_run(&run, &out, &e), -1);
	assert_string_equal(e.msg, "plugin \"p\" did not finish in time and was killed");
	assert_int_equal(e.kind, ERR_TIMEOUT);
	assert_true(clock_now_ms() - start < test_ms(20000));
	must_die("child");
	must_die("grandchild");
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void no_time_no_start(void **state)
{
	AUTO(exec_output_done) struct exec_output out = EXEC_OUTPUT_INIT;
	AUTO(free) char *path = test_script("plugin", "echo ran >$D/ran");
	struct exec_run run = run_of(path);
	struct err e = {0};

	(void)state;
	run.deadline_ms = clock_now_ms();
	assert_int_equal(exec_run(&run, &out, &e), -1);
	assert_int_equal(e.kind, ERR_TIMEOUT);
	assert_null(test_read("ran"));
}

static void a_grandchild_with_our_pipes_is_not_waited_for(void **state)
{
	int64_t start = clock_now_ms();

	(void)state;
	must_print("sleep 40 & echo '{}'", "{}\n");
	assert_true(clock_now_ms() - start < test_ms(20000));
}

static void output_has_a_limit(void **state)
{
	AUTO(exec_output_done) struct exec_output out = EXEC_OUTPUT_INIT;
	AUTO(free) char *path = test_script("full", "head -c 1048576 /dev/zero");
	struct exec_run run = run_of(path);
	struct err e = {0};

	(void)state;
	must_fail("cat /dev/zero", &e);
	assert_string_equal(e.msg, "plugin \"p\" printed more than 1048576 bytes and was killed");
	assert_int_equal(e.kind, ERR_DELEGATE);
	assert_int_equal(exec_run(&run, &out, &e), 0);
	assert_int_equal(out.out_len, 1048576);
}

static void stderr_has_a_limit_but_kills_nobody(void **state)
{
	AUTO(exec_output_done) struct exec_output out = EXEC_OUTPUT_INIT;
	AUTO(free) char *path = test_script("plugin", "head -c 300000 /dev/zero >&2; echo ok");
	struct exec_run run = run_of(path);
	struct err e = {0};
	int saved = dup(STDERR_FILENO);
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)state;
	dup2(null, STDERR_FILENO);
	assert_int_equal(exec_run(&run, &out, &e), 0);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(null);
	assert_string_equal(out.out, "ok\n");
	assert_int_equal(out.err_len, EXEC_STDERR_MAX);
}

static void stderr_is_passed_on(void **state)
{
	AUTO(exec_output_done) struct exec_output out = EXEC_OUTPUT_INIT;
	AUTO(free) char *path = test_script("plugin", "echo to the log >&2");
	struct exec_run run = run_of(path);
	struct err e = {0};
	int saved = dup(STDERR_FILENO);
	char buf[64] = "";
	int fds[2];
	ssize_t n;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	dup2(fds[1], STDERR_FILENO);
	assert_int_equal(exec_run(&run, &out, &e), 0);
	dup2(saved, STDERR_FILENO);
	n = read(fds[0], buf, sizeof(buf) - 1);
	assert_int_equal(n, 11);
	assert_string_equal(buf, "to the log\n");
	close(saved);
	close(fds[0]);
	close(fds[1]);
}

static void what_cannot_be_executed(void **state)
{
	AUTO(exec_output_done) struct exec_output out = EXEC_OUTPUT_INIT;
	AUTO(free) char *ghost = test_path("ghost");
	AUTO(free) char *noexec = test_path("noexec");
	AUTO(free) char *junk = test_path("junk");
	AUTO(free) char *odd = test_path("odd");
	struct exec_run run = run_of(ghost);
	struct err e = {0};

	(void)state;
	test_write("noexec", 0644, "x");
	test_write("junk", 0755, "\x01\x02");
	test_write("odd", 0755, "#!/nonexistent/sh\n");
	assert_int_equal(exec_run(&run, &out, &e), -1);
	assert_int_equal(e.kind, ERR_NOT_FOUND);
	assert_int_equal(e.num, ENOENT);
	run.path = noexec;
	assert_int_equal(exec_run(&run, &out, &e), -1);
	assert_int_equal(e.kind, ERR_IO);
	assert_int_equal(e.num, EACCES);
	run.path = junk;
	assert_int_equal(exec_run(&run, &out, &e), -1);
	assert_int_equal(e.num, ENOEXEC);
	run.path = odd;
	assert_int_equal(exec_run(&run, &out, &e), -1);
	assert_int_equal(e.kind, ERR_IO);
	assert_int_equal(e.num, ENOENT);
}

struct later {
	int fd;
	int64_t at_ms;
	bool is_event;
};

/* /usr is a root in which Debian's programs run: /bin and /lib lead there anyway. */
static void another_root(void **state)
{
	AUTO(exec_output_done) struct exec_output out = EXEC_OUTPUT_INIT;
	struct exec_run run = run_of("/bin/ls");
	struct err e = {0};

	(void)state;
	if (geteuid() != 0)
		skip();
	run.root = "/usr";
	if (exec_run(&run, &out, &e) < 0)
		fail_msg("%s", e.msg);
	assert_non_null(strstr(out.out, "share\n"));
	assert_null(strstr(out.out, "proc\n"));
	run.path = "/bin/tandem-is-not-here";
	assert_int_equal(exec_run(&run, &out, &e), -1);
	assert_int_equal(e.kind, ERR_NOT_FOUND);
	assert_string_equal(e.msg, "plugin \"p\": /usr/bin/tandem-is-not-here is missing");
}

static void *do_later(void *arg)
{
	struct later *l = arg;
	uint64_t one = 1;

	poll(NULL, 0, clock_left_ms(l->at_ms));
	if (l->is_event)
		assert_int_equal(write(l->fd, &one, 8), 8);
	else
		close(l->fd);
	return NULL;
}

static void a_file_that_is_being_written_is_tried_again(void **state)
{
	AUTO(exec_output_done) struct exec_output out = EXEC_OUTPUT_INIT;
	AUTO(free) char *path = test_script("busy", "echo ok");
	struct exec_run run = run_of(path);
	struct later close_it = {.at_ms = clock_now_ms() + 150};
	struct err e = {0};
	pthread_t thread;
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	run.deadline_ms = clock_now_ms() + 100;
	assert_int_equal(exec_run(&run, &out, &e), -1);
	assert_int_equal(e.kind, ERR_TIMEOUT);
	close_it.fd = fd;
	assert_int_equal(pthread_create(&thread, NULL, do_later, &close_it), 0);
	run.deadline_ms = clock_now_ms() + test_ms(10000);
	assert_int_equal(exec_run(&run, &out, &e), 0);
	assert_string_equal(out.out, "ok\n");
	pthread_join(thread, NULL);
}

/* Cut off in the middle it might leave what its own DEL does not find. */
static void cancel_lets_it_finish(void **state)
{
	AUTO(exec_output_done) struct exec_output out = EXEC_OUTPUT_INIT;
	AUTO(free) char *path = test_script("plugin", "sleep 0.6; echo done >$D/finished");
	AUTO(fd) int event = eventfd(1, EFD_CLOEXEC);
	struct exec_run run = run_of(path);
	AUTO(free) char *text = NULL;
	struct err e = {0};

	(void)state;
	run.cancel_fd = event;
	assert_int_equal(exec_run(&run, &out, &e), -1);
	assert_int_equal(e.kind, ERR_CANCELLED);
	text = test_read("finished");
	assert_non_null(text);
	assert_string_equal(text, "done\n");
}

static void cancel_stops_it(void **state)
{
	AUTO(exec_output_done) struct exec_output out = EXEC_OUTPUT_INIT;
	AUTO(free) char *path = test_script("plugin", "echo $$ >$D/child; exec sleep 300");
	AUTO(fd) int event = eventfd(0, EFD_CLOEXEC);
	struct exec_run run = run_of(path);
	struct later cancel = {.fd = event, .at_ms = clock_now_ms() + 200, .is_event = true};
	struct err e = {0};
	pthread_t thread;
	int64_t start = clock_now_ms();

	(void)state;
	run.cancel_fd = event;
	assert_int_equal(pthread_create(&thread, NULL, do_later, &cancel), 0);
	assert_int_equal(exec_run(&run, &out, &e), -1);
	pthread_join(thread, NULL);
	assert_int_equal(e.kind, ERR_CANCELLED);
	assert_true(clock_now_ms() - start < test_ms(20000));
	must_die("child");
}

static void *run_many(void *arg)
{
	const char *path = arg;
	struct err e = {0};
	int i;

	for (i = 0; i < 10; i++) {
		AUTO(exec_output_done) struct exec_output out = EXEC_OUTPUT_INIT;
		struct exec_run run = run_of(path);

		if (exec_run(&run, &out, &e) < 0 || strcmp(out.out, "{}") != 0)
			return (void *)"failed";
	}
	return NULL;
}

static size_t open_fds(void)
{
	AUTO(closedir) DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	while (readdir(dir))
		n++;
	return n;
}

static void threads_do_not_disturb_each_other(void **state)
{
	AUTO(free) char *path = test_script("plugin", "cat");
	size_t before = open_fds();
	pthread_t threads[4];
	void *failed;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run_many, path), 0);
	for (i = 0; i < ARRAY_SIZE(threads); i++) {
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	assert_int_equal(open_fds(), before);
}

static void the_child_starts_clean(void **state)
{
	int leak = open("/dev/null", O_RDONLY); /* no O_CLOEXEC, on purpose */
	AUTO(free)
	char *body = xasprintf("[ -e /proc/$$/fd/%d ] && echo leaked >&2; "
			       "read a b c d pgrp rest </proc/self/stat; "
			       "[ \"$pgrp\" = \"$$\" ] || echo no group >&2; "
			       "kill -PIPE $$; echo SIGPIPE is ignored",
			       leak);
	struct err e = {0};

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	must_fail(body, &e);
	signal(SIGPIPE, SIG_DFL);
	close(leak);
	assert_string_equal(e.msg, "plugin \"p\" was killed by signal 13: ");
	must_print("read a b c d pgrp rest </proc/$$/stat; [ \"$pgrp\" = \"$$\" ] && echo group",
		   "group\n");
}

static void it_dies_with_us(void **state)
{
	AUTO(free)
	char *path = test_script("plugin", "echo $$ >$D/new; mv $D/new $D/orphan; "
					   "exec sleep 300");
	AUTO(free) char *pid_text = NULL;
	int64_t end = clock_now_ms() + test_ms(5000);
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		AUTO(exec_output_done) struct exec_output out = EXEC_OUTPUT_INIT;
		struct exec_run run = run_of(path);
		struct err e = {0};

		_exit(exec_run(&run, &out, &e) < 0);
	}
	while (!pid_text && clock_left_ms(end)) {
		poll(NULL, 0, 5);
		pid_text = test_read("orphan");
	}
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	must_die("orphan");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_in_bytes_out),
		cmocka_unit_test(stdin_may_be_left_unread),
		cmocka_unit_test(the_environment_is_the_given_one),
		cmocka_unit_test(the_delegates_own_error),
		cmocka_unit_test(an_error_without_an_object),
		cmocka_unit_test(the_deadline_kills_the_group),
		cmocka_unit_test(no_time_no_start),
		cmocka_unit_test(a_grandchild_with_our_pipes_is_not_waited_for),
		cmocka_unit_test(output_has_a_limit),
		cmocka_unit_test(stderr_has_a_limit_but_kills_nobody),
		cmocka_unit_test(stderr_is_passed_on),
		cmocka_unit_test(what_cannot_be_executed),
		cmocka_unit_test(another_root),
		cmocka_unit_test(a_file_that_is_being_written_is_tried_again),
		cmocka_unit_test(cancel_lets_it_finish),
		cmocka_unit_test(cancel_stops_it),
		cmocka_unit_test(threads_do_not_disturb_each_other),
		cmocka_unit_test(the_child_starts_clean),
		cmocka_unit_test(it_dies_with_us),
	};

	return cmocka_run_group_tests_name("exec", tests, test_dir_make, test_dir_remove);
}
