/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/testbed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/method.h"
#include "control/model.h"

/*
 * After any sequence of requests, alone and in batches, right and wrong, the
 * gateway answers and holds what a reference model says. MODEL_SEED=N does one again.
 */
#define LINES_ASKED 4000
#define BATCH_MAX 8

static const char *const names[MODEL_NAMES] = {"paris", "rome", "oslo", "bern",
					       "riga",  "kiev", "turin"};
static const char *const remotes[] = {"192.0.2.1", "192.0.2.2", "192.0.2.3"};
static const char *const selectors[] = {"\"remote\":\"10.1.0.0/16\"", "\"remote\":\"10.2.0.0/16\"",
					"\"local\":\"10.3.0.0/16\",\"remote\":\"10.1.0.0/16\"",
					"\"remote\":\"fd00::/64\",\"protocol\":\"udp\""};
static const char *const actions[] = {"protect", "bypass", "discard"};
static const char *const directions[] = {"in", "out"};
static const char *const methods[OPS] = {[OP_TUNNEL_ADD] = "tunnel.add",
					 [OP_TUNNEL_UPDATE] = "tunnel.update",
					 [OP_TUNNEL_DELETE] = "tunnel.delete",
					 [OP_TUNNEL_RESET] = "tunnel.reset",
					 [OP_SA_ADD] = "sa.add",
					 [OP_SA_ADD_MANY] = "sa.add_many",
					 [OP_SA_UPDATE] = "sa.update",
					 [OP_SA_DELETE] = "sa.delete",
					 [OP_SA_FLUSH] = "sa.flush",
					 [OP_POLICY_ADD] = "policy.add",
					 [OP_POLICY_DELETE] = "policy.delete",
					 [OP_POLICY_FLUSH] = "policy.flush"};

static uint64_t chance; /* state of the generator: xorshift64* */

static uint32_t any(uint32_t n)
{
	chance ^= chance >> 12;
	chance ^= chance << 25;
	chance ^= chance >> 27;
	return (uint32_t)((chance * UINT64_C(0x2545f4914f6cdd1d)) >> 33) % n;
}

static int maybe(int value)
{
	return any(2) != 0 ? value : ABSENT;
}

/* ---- A request, and its text ---- */

/* A fresh one mostly: what was received with is no good for sending any more. */
static int random_key(void)
{
	static int fresh = 16;

	return any(4) == 0 ? (int)any(16) : fresh++;
}

static struct request random_request(void)
{
	/* More is added than deleted, or nothing would be there to meet. */
	static const enum model_op often[] = {
	    OP_TUNNEL_ADD, OP_TUNNEL_ADD,   OP_TUNNEL_UPDATE, OP_TUNNEL_DELETE, OP_SA_ADD,
	    OP_SA_ADD,     OP_SA_ADD,       OP_SA_ADD,        OP_SA_ADD_MANY,   OP_SA_UPDATE,
	    OP_SA_UPDATE,  OP_SA_DELETE,    OP_SA_DELETE,     OP_POLICY_ADD,    OP_POLICY_ADD,
	    OP_POLICY_ADD, OP_POLICY_DELETE};
	struct request r = {.op = any(200) == 0   ? OP_SA_FLUSH
				  : any(200) == 0 ? OP_POLICY_FLUSH
				  : any(100) == 0 ? OP_TUNNEL_RESET
						  : often[any(sizeof(often) / sizeof(often[0]))],
			    .broken = any(20) == 0,
			    .ok = any(2) == 0,
			    .tunnel = (int)any(MODEL_NAMES),
			    .trap = maybe((int)any(2)),
			    .mtu = maybe(any(8) == 0 ? 575 : 1400 + (int)any(2)),
			    .keepalive = maybe(10 * (int)any(2)),
			    .direction = (int)any(2),
			    .spi = (int)any(10),
			    .key = random_key(),
			    .remote = (int)any(3),
			    .new_remote = maybe((int)any(3)),
			    .udp = maybe((int)any(2)),
			    .local_port = maybe(4500 + (int)any(2)),
			    .hard_packets = any(2) != 0 ? 0 : 1000,
			    .name = (int)any(MODEL_NAMES),
			    .action = (int)any(3),
			    .priority = (int)any(3),
			    .selector = (int)any(4),
			    .rows = any(MODEL_ROWS_MAX + 1)};

	if (r.op != OP_TUNNEL_ADD)
		r.remote = maybe(r.remote);
	if (r.op == OP_SA_UPDATE || r.op == OP_SA_DELETE || r.op == OP_SA_FLUSH ||
	    r.op == OP_POLICY_FLUSH)
		r.tunnel = maybe(r.tunnel);
	if ((r.op == OP_SA_UPDATE || r.op == OP_SA_DELETE) && any(2) == 0)
		r.tunnel = ABSENT;
	if (r.op == OP_SA_FLUSH)
		r.direction = maybe(r.direction);
	if (r.op == OP_POLICY_ADD && (r.action == MODEL_PROTECT) == (any(10) == 0))
		r.tunnel = ABSENT;
	for (size_t i = 0; i < r.rows; i++) {
		r.row[i].spi = (int)any(10);
		r.row[i].key = random_key();
	}
	return r;
}

static size_t at_end; /* of the text that put() writes */
static char text[16384];

static void __attribute__((format(printf, 1, 2))) put(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	at_end += (size_t)vsnprintf(text + at_end, sizeof(text) - at_end, fmt, args);
	va_end(args);
	assert_true(at_end < sizeof(text));
}

static void put_text(const char *name, int value, const char *const words[])
{
	if (value != ABSENT)
		put("\"%s\":\"%s\",", name, words[value]);
}

static void put_number(const char *name, int value)
{
	if (value != ABSENT)
		put("\"%s\":%d,", name, value);
}

static void put_flag(const char *name, int value)
{
	if (value != ABSENT)
		put("\"%s\":%s,", name, value == 1 ? "true" : "false");
}

static void put_rows(const struct request *r)
{
	put("\"template\":{\"direction\":\"%s\",\"tunnel\":\"%s\",", directions[r->direction],
	    names[r->tunnel]);
	put_text("remote", r->remote, remotes);
	put_flag("udp", r->udp);
	put("\"hard_packets\":%d},\"columns\":[\"spi\",\"key\"],\"rows\":[", r->hard_packets);
	for (size_t i = 0; i < r->rows; i++)
		put("%s[%d,\"%072d\"]", i > 0 ? "," : "", 4096 + r->row[i].spi, r->row[i].key);
	put("],");
}

static void put_params(const struct request *r)
{
	switch (r->op) {
	case OP_TUNNEL_ADD:
	case OP_TUNNEL_UPDATE:
		put_text("name", r->tunnel, names);
		put_number("mtu", r->mtu);
		put_number("keepalive", r->keepalive);
		put_flag("trap", r->trap);
		if (r->op == OP_TUNNEL_ADD) {
			put("\"local\":\"198.51.100.1\",");
			put_text("remote", r->remote, remotes);
		}
		break;
	case OP_TUNNEL_DELETE:
	case OP_TUNNEL_RESET:
		put_text("name", r->tunnel, names);
		break;
	case OP_SA_ADD:
	case OP_SA_UPDATE:
	case OP_SA_DELETE:
		put_text("direction", r->direction, directions);
		put("\"spi\":%d,", 4096 + r->spi);
		put_text("tunnel", r->tunnel, names);
		put_text("remote", r->remote, remotes);
		if (r->op != OP_SA_DELETE)
			put_flag("udp", r->udp);
		if (r->op == OP_SA_ADD)
			put("\"hard_packets\":%d,\"key\":\"%072d\",", r->hard_packets, r->key);
		if (r->op == OP_SA_UPDATE) {
			put_text("new_remote", r->new_remote, remotes);
			put_number("local_port", r->local_port);
		}
		break;
	case OP_SA_ADD_MANY:
		put_rows(r);
		break;
	case OP_SA_FLUSH:
		put_text("direction", r->direction, directions);
		put_text("tunnel", r->tunnel, names);
		break;
	case OP_POLICY_ADD:
		put("\"action\":\"%s\",\"selector\":{%s},", actions[r->action],
		    selectors[r->selector]);
		put_number("priority", r->priority);
		put_text("tunnel", r->tunnel, names);
		put_flag("trap", r->trap);
		put_text("name", r->name, names);
		break;
	case OP_POLICY_DELETE:
		put_text("name", r->name, names);
		break;
	default:
		put_text("tunnel", r->tunnel, names);
		break;
	}
}

static void put_request(const struct request *r, size_t id)
{
	put("{\"jsonrpc\":\"2.0\",\"id\":%zu,\"method\":\"%s\",\"params\":{", id, methods[r->op]);
	put_params(r);
	if (r->ok && member_find(method_find(methods[r->op])->params, "exist_ok") != NULL)
		put("\"exist_ok\":true,");
	if (r->ok && member_find(method_find(methods[r->op])->params, "missing_ok") != NULL)
		put("\"missing_ok\":true,");
	if (r->broken)
		put("\"colour\":1,");
	/* The comma behind the last one. */
	at_end -= text[at_end - 1] == ',';
	put("}}");
}

/* ---- What the gateway holds, and what the model does, as the same text ---- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *join(char **line, size_t lines, bool sorted)
{
	static char all[65536];
	size_t at = 0;

	if (sorted)
		qsort(line, lines, sizeof(*line), by_text);
	all[0] = '\0';
	for (size_t i = 0; i < lines; i++) {
		at += (size_t)snprintf(all + at, sizeof(all) - at, "%s\n", line[i]);
		assert_true(at < sizeof(all));
		free(line[i]);
	}
	return strdup(all);
}

#define LINES 64

/* Every page of a list, each as long as chance will have it. */
static char *gateway_list(const char *method, bool sorted, char *(*line_of)(const json_t *item))
{
	char params[128], *line[LINES];
	size_t lines = 0, i;
	json_t *page = NULL, *item;

	snprintf(params, sizeof(params), "{\"limit\":%u}", 1 + any(9));
	do {
		json_decref(page);
		page = result_of(method, params);
		json_array_foreach (at(page, "items"), i, item) {
			assert_true(lines < LINES);
			line[lines++] = line_of(item);
		}
		snprintf(params, sizeof(params), "{\"limit\":%u,\"after\":\"%s\"}", 1 + any(9),
			 text_at(page, "next") != NULL ? text_at(page, "next") : "");
	} while (text_at(page, "next") != NULL);
	json_decref(page);
	return join(line, lines, sorted);
}

static char *__attribute__((format(printf, 1, 2))) printed(const char *fmt, ...)
{
	va_list args;
	char *line;

	va_start(args, fmt);
	assert_true(vasprintf(&line, fmt, args) >= 0);
	va_end(args);
	return line;
}

#define TUNNEL_LINE "%s mtu %d keepalive %d trap %d remote %s %s in %d (%d) out %d (%d)"

static char *tunnel_line(const json_t *t)
{
	return printed(TUNNEL_LINE, text_at(t, "name"), (int)number_at(t, "mtu"),
		       (int)number_at(t, "keepalive"), json_is_true(at(t, "trap")),
		       text_at(t, "remote"), text_at(t, "state"), (int)number_at(t, "sas_in"),
		       (int)number_at(t, "spi_in"), (int)number_at(t, "sas_out"),
		       (int)number_at(t, "spi_out"));
}

static char *model_tunnels(const struct model *m)
{
	char *line[MODEL_NAMES];
	size_t lines = 0;

	for (int i = 0; i < MODEL_NAMES; i++) {
		const struct model_tunnel *t = &m->tunnel[i];
		const struct model_sa *in, *out;
		int ins = (int)model_sas_of(m, i, MODEL_IN, &in);
		int outs = (int)model_sas_of(m, i, MODEL_OUT, &out);
		if (!t->used)
			continue;
		line[lines++] = printed(
		    TUNNEL_LINE, names[i], t->mtu, t->keepalive, t->trap, remotes[t->remote],
		    ins > 0 && outs > 0   ? "up"
		    : ins > 0 || outs > 0 ? "half"
					  : "down",
		    ins, in != NULL ? 4096 + in->spi : 0, outs, out != NULL ? 4096 + out->spi : 0);
	}
	return join(line, lines, true);
}

#define SA_LINE "%s %d of %s to %s udp %d port %d hard_packets %d"

static char *sa_line(const json_t *sa)
{
	return printed(SA_LINE, text_at(sa, "direction"), (int)number_at(sa, "spi"),
		       text_at(sa, "tunnel"), text_at(sa, "remote"), json_is_true(at(sa, "udp")),
		       (int)number_at(sa, "local_port"),
		       (int)number_at(sa, "lifetime.hard_packets"));
}

static char *model_sas(const struct model *m)
{
	char *line[2 * MODEL_SAS_MAX];

	for (size_t i = 0; i < m->sas; i++) {
		const struct model_sa *sa = &m->sa[i];
		line[i] = printed(SA_LINE, directions[sa->direction], 4096 + sa->spi,
				  names[sa->tunnel], remotes[sa->remote], sa->udp,
				  sa->udp ? sa->local_port : 0, sa->hard_packets);
	}
	return join(line, m->sas, true);
}

#define POLICY_LINE "%d %s %s %s trap %d %s"

static const char *remote_of(const char *selector)
{
	return strstr(selector, "fd00") != NULL       ? "fd00::/64"
	       : strstr(selector, "10.2.") != NULL    ? "10.2.0.0/16"
	       : strstr(selector, "10.3.0.0") != NULL ? "10.1.0.0/16 from 10.3.0.0/16"
						      : "10.1.0.0/16";
}

static char *policy_line(const json_t *p)
{
	char *selector = json_dumps(at(p, "selector"), 0);
	char *line =
	    printed(POLICY_LINE, (int)number_at(p, "priority"), text_at(p, "name"),
		    text_at(p, "action"), text_at(p, "tunnel") != NULL ? text_at(p, "tunnel") : "-",
		    json_is_true(at(p, "trap")), remote_of(selector));

	free(selector);
	return line;
}

static char *model_policies(const struct model *m)
{
	char *line[MODEL_NAMES];

	for (size_t i = 0; i < m->policies; i++) {
		const struct model_policy *p = &m->policy[i];
		line[i] = printed(POLICY_LINE, p->priority, names[p->name], actions[p->action],
				  p->action == MODEL_PROTECT ? names[p->tunnel] : "-", p->trap,
				  remote_of(selectors[p->selector]));
	}
	return join(line, m->policies, false);
}

static void expect_same(char *gateway, char *model)
{
	if (strcmp(gateway, model) != 0)
		fail_msg("after %s\nthe gateway holds\n%sand should hold\n%s", text, gateway,
			 model);
	free(gateway);
	free(model);
}

static void expect_state(const struct model *m)
{
	expect_same(gateway_list("tunnel.list", true, tunnel_line), model_tunnels(m));
	expect_same(gateway_list("sa.list", true, sa_line), model_sas(m));
	expect_same(gateway_list("policy.list", false, policy_line), model_policies(m));
}

/* ---- The requests ---- */

static size_t outcomes[OPS][2]; /* refused, done */

static int number_of(const json_t *result)
{
	const json_t *value =
	    at(result, "created") != NULL ? at(result, "created") : at(result, "deleted");

	return json_is_boolean(value) ? json_is_true(value) : (int)json_integer_value(value);
}

static void expect_answer(struct model *m, const struct request *r, const json_t *answer)
{
	int count, code = model_apply(m, r, &count);

	outcomes[r->op][code == 0]++;
	bool right = number_at(answer, "error.code") == code &&
		     (code != 0 || number_of(at(answer, "result")) == count);
	if (right)
		return;
	/* Longer than what fail_msg() prints. */
	print_error("%s\n", text);
	fail_msg("is answered %s, and not with code %d or %d", json_dumps(answer, 0), code, count);
}

static void ask_batch(struct model *m)
{
	struct request r[BATCH_MAX];
	size_t n = any(3) == 0 ? 2 + any(BATCH_MAX - 1) : 1;

	at_end = 0;
	put("%s", n > 1 ? "[" : "");
	for (size_t i = 0; i < n; i++) {
		r[i] = random_request();
		put("%s", i > 0 ? "," : "");
		put_request(&r[i], i);
	}
	put("%s", n > 1 ? "]" : "");
	json_t *answer = ask(text);
	for (size_t i = 0; i < n; i++)
		expect_answer(m, &r[i], n > 1 ? json_array_get(answer, i) : answer);
	json_decref(answer);
}

static int setup(void **state)
{
	return testbed_setup_sized(state, MODEL_SAS_MAX, MODEL_TUNNELS_MAX);
}

static void the_gateway_is_as_the_model(void **state)
{
	(void)state;
	const char *given = getenv("MODEL_SEED");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
	/* As the testbed makes them. */
	struct model m = {.tunnel = {{.used = true, .keepalive = 20, .remote = 0},
				     {.used = true, .keepalive = 20, .remote = 1}}};

	print_message("MODEL_SEED=%llu\n", (unsigned long long)seed);
	chance = seed * 2 + 1;
	for (int i = 0; i < LINES_ASKED; i++) {
		ask_batch(&m);
		expect_state(&m);
	}
	/* Nothing was out of reach: each method was done and was refused. */
	for (int op = 0; op < OPS; op++) {
		print_message("%s: %zu done, %zu refused\n", methods[op], outcomes[op][1],
			      outcomes[op][0]);
		assert_true(outcomes[op][0] > 0 && outcomes[op][1] > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(the_gateway_is_as_the_model, setup, testbed_teardown),
	};

	if (testbed_eal() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
