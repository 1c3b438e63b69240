/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sa/replay.h"

/*
 * The model is RFC 4303 3.4.3 in words: a list of what was received. A number is
 * new if it is above the top, or within the window and not in the list.
 */
#define MODEL_MAX 20000

struct model {
	uint64_t got[MODEL_MAX];
	unsigned int n;
	uint64_t top;
	uint32_t window;
};

static enum replay_verdict model_check(const struct model *m, uint64_t seq)
{
	if (seq == 0)
		return REPLAY_BELOW;
	if (seq <= m->top && m->top - seq >= m->window)
		return REPLAY_BELOW;
	for (unsigned int i = m->n; i-- > 0;) {
		if (m->got[i] == seq)
			return REPLAY_SEEN;
	}
	return REPLAY_NEW;
}

static void model_add(struct model *m, uint64_t seq)
{
	m->got[m->n++] = seq;
	if (seq > m->top)
		m->top = seq;
}

static uint64_t random64(void)
{
	return ((uint64_t)(uint32_t)rand() << 42) ^ ((uint64_t)(uint32_t)rand() << 21) ^
	       (uint64_t)(uint32_t)rand();
}

static void sa_open(struct sa_in *sa, uint32_t window, uint64_t top, bool esn)
{
	uint32_t words = replay_words(window);

	memset(sa, 0, sizeof(*sa));
	sa->window_size = window;
	sa->ring_mask = words - 1;
	sa->window = calloc(words, sizeof(*sa->window));
	sa->top = top;
	sa->flags = esn ? SA_IN_ESN : 0;
}

static const uint32_t windows[] = {32, 33, 63, 64, 65, 128, 1000, 1024, 4096, 32767, 32768};

static void matches_the_model(void **state)
{
	(void)state;
	static struct sa_in sa;
	static struct model m;

	srand(1);
	for (unsigned int w = 0; w < RTE_DIM(windows); w++) {
		m = (struct model){.window = windows[w]};
		sa_open(&sa, windows[w], 0, false);
		for (unsigned int i = 0; i < 4000; i++) {
			uint64_t seq;
			switch (rand() % 8) {
			case 0: /* anywhere around the window's lower edge */
				seq = m.top - windows[w] + (uint64_t)(rand() % 5) - 2;
				break;
			case 1: /* a jump, sometimes far beyond the ring */
				seq = m.top + (uint64_t)(rand() % (int)(windows[w] * 3));
				break;
			case 2:
				seq = m.n > 0 ? m.got[(unsigned int)rand() % m.n] : 0;
				break;
			case 3:
				seq = m.top - (uint64_t)(rand() % (int)(windows[w] + 10));
				break;
			default:
				seq = m.top + 1;
			}
			if (seq > UINT32_MAX)
				seq = 1;
			enum replay_verdict expected = model_check(&m, seq);
			assert_int_equal(replay_check(&sa, seq), expected);
			assert_int_equal(replay_advance(&sa, seq), expected);
			if (expected == REPLAY_NEW)
				model_add(&m, seq);
			assert_true(sa.top == m.top);
		}
		free(sa.window);
	}
}

/*
 * RFC 4303 A2.2: the inferred number is the only one with these low bits from
 * the window's bottom to 2^32 above it. Written here as just that.
 */
static void inference_is_the_only_candidate(void **state)
{
	(void)state;
	static const uint64_t tops[] = {100000,
					UINT32_MAX - 1ull,
					UINT32_MAX,
					UINT32_MAX + 1ull,
					UINT32_MAX + 33ull,
					5ull << 32,
					(5ull << 32) + 31,
					(5ull << 32) + 64,
					(5ull << 32) - 1,
					0xfffffffe00000000ull,
					0xfffffffeffffffffull};

	srand(2);
	for (unsigned int w = 0; w < RTE_DIM(windows); w++) {
		for (unsigned int t = 0; t < RTE_DIM(tops); t++) {
			for (int i = 0; i < 3000; i++) {
				uint64_t top = tops[t] + (uint64_t)(rand() % 100);
				uint64_t bottom = top - windows[w] + 1;
				uint64_t offset = i % 3 == 0 ? (uint64_t)(rand() % 200)
						  : i % 3 == 1
						      ? UINT32_MAX - (uint64_t)(rand() % 200)
						      : random64() & UINT32_MAX;
				uint64_t seq = bottom + offset;
				if (top < windows[w] || seq < bottom)
					continue;
				assert_true(replay_infer(top, windows[w], (uint32_t)seq) == seq);
			}
		}
	}
}

/* The first and the last 2^32 numbers have no neighbour to slip into. */
static void inference_stays_in_the_space(void **state)
{
	(void)state;
	assert_true(replay_infer(0, 64, 1) == 1);
	assert_true(replay_infer(5, 64, 0xfffffff0u) == 0xfffffff0u);
	assert_true(replay_infer(0, 0, 0xfffffff0u) == 0xfffffff0u);
	uint64_t last = UINT64_MAX;
	assert_true(replay_infer(last, 64, 0) == 0xffffffff00000000ull);
	assert_true(replay_infer(last, 64, UINT32_MAX) == last);
}

/* Without a window the nearest candidate counts, on either side of the top. */
static void inference_without_window(void **state)
{
	(void)state;
	uint64_t top = (7ull << 32) + 10;

	assert_true(replay_infer(top, 0, 11) == top + 1);
	assert_true(replay_infer(top, 0, 9) == top - 1);
	assert_true(replay_infer(top, 0, 0xfffffff0u) == (6ull << 32) + 0xfffffff0u);
	top = (7ull << 32) + 0xfffffff0u;
	assert_true(replay_infer(top, 0, 3) == (8ull << 32) + 3);
}

/* A packet far below the window is never taken for a new one. */
static void far_below_is_never_new(void **state)
{
	(void)state;
	static struct sa_in sa;

	srand(3);
	for (unsigned int w = 0; w < RTE_DIM(windows); w++) {
		uint64_t top = (3ull << 32) + 5000000;

		sa_open(&sa, windows[w], top, true);
		for (int i = 0; i < 5000; i++) {
			uint64_t seq = top - windows[w] - random64() % (top - windows[w]);
			assert_int_equal(replay_check(&sa, seq), REPLAY_BELOW);
			assert_int_equal(replay_advance(&sa, seq), REPLAY_BELOW);
			/* From its low bits alone another number comes out, whose ICV cannot pass.
			 */
			uint64_t inferred = replay_sequence(&sa, (uint32_t)seq);
			assert_true(inferred != seq);
		}
		assert_true(sa.top == top);
		free(sa.window);
	}
}

static void window_zero_accepts_all(void **state)
{
	(void)state;
	struct sa_in sa = {0};

	assert_int_equal(replay_advance(&sa, 9), REPLAY_NEW);
	assert_int_equal(replay_advance(&sa, 9), REPLAY_NEW);
	assert_int_equal(replay_advance(&sa, 1), REPLAY_NEW);
	assert_true(sa.top == 9);
}

/* The last number of the space is accepted once and nothing wraps. */
static void end_of_space(void **state)
{
	(void)state;
	static struct sa_in sa;

	sa_open(&sa, 64, UINT64_MAX - 3, true);
	assert_int_equal(replay_advance(&sa, UINT64_MAX), REPLAY_NEW);
	assert_int_equal(replay_advance(&sa, UINT64_MAX), REPLAY_SEEN);
	assert_int_equal(replay_advance(&sa, UINT64_MAX - 63), REPLAY_NEW);
	assert_int_equal(replay_advance(&sa, UINT64_MAX - 64), REPLAY_BELOW);
	assert_int_equal(replay_advance(&sa, 1), REPLAY_BELOW);
	free(sa.window);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(matches_the_model),
	    cmocka_unit_test(inference_is_the_only_candidate),
	    cmocka_unit_test(inference_stays_in_the_space),
	    cmocka_unit_test(inference_without_window),
	    cmocka_unit_test(far_below_is_never_new),
	    cmocka_unit_test(window_zero_accepts_all),
	    cmocka_unit_test(end_of_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
