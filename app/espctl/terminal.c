/* SPDX-License-Identifier: BSD-3-Clause */
#include "terminal.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct termios before;
static bool is_open;

/* Does nothing; but poll() ends, and the picture is drawn anew. */
static void on_size(int number)
{
	(void)number;
}

int terminal_open(void)
{
	const struct sigaction action = {.sa_handler = on_size};
	struct termios raw;

	if (!isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &before) != 0)
		return -1;
	raw = before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) != 0)
		return -1;
	is_open = true;
	atexit(terminal_close);
	sigaction(SIGWINCH, &action, NULL);
	/* The other screen, no cursor, no line breaks of the terminal's own. */
	fputs("\033[?1049h\033[?25l\033[?7l", stdout);
	return 0;
}

void terminal_close(void)
{
	if (!is_open)
		return;
	is_open = false;
	fputs("\033[?7h\033[?25h\033[?1049l", stdout);
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

struct terminal_size terminal_size(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
		return (struct terminal_size){80, 24};
	return (struct terminal_size){size.ws_col, size.ws_row};
}

int terminal_key(int timeout_ms)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	unsigned char key;

	if (poll(&input, 1, timeout_ms) <= 0)
		return 0;
	return read(STDIN_FILENO, &key, 1) == 1 ? key : -1;
}
