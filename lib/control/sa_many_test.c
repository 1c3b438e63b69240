/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/testbed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rcu/rcu.h"

/* sa.add_many: as many sa.add would do it, but all or none, named by row, and fast. */

#define KEY_D "d0d1d2d3d4d5d6d7d8d9dadbdcdddedfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfd0d1d2d3"
#define INBOUND "\"template\":{\"direction\":\"in\",\"tunnel\":\"paris\"}"
#define SPI_KEY "\"columns\":[\"spi\",\"key\"]"
#define TWO "\"rows\":[[4096,\"" KEY_A "\"],[4097,\"" KEY_B "\"]]"

/* An SA without what is only its own. */
static json_t *without_identity(const char *spi)
{
	char params[64];

	snprintf(params, sizeof(params), "{\"direction\":\"out\",\"tunnel\":\"rome\",\"spi\":%s}",
		 spi);
	json_t *sa = result_of("sa.get", params);
	json_object_del(sa, "spi");
	json_object_del(sa, "age");
	return sa;
}

/* Each parameter as a column gives what it gives to sa.add. */
static void a_row_is_an_sa_add(void **state)
{
	(void)state;
	done("sa.add",
	     "{\"direction\":\"out\",\"spi\":4096,\"tunnel\":\"rome\",\"algorithm\":"
	     "\"aes128gcm16\",\"key\":\"000102030405060708090a0b0c0d0e0f10111213\",\"esn\":false,"
	     "\"udp\":true,\"local_port\":4501,\"remote_port\":61000,\"local\":\"198.51.100.7\","
	     "\"remote\":\"203.0.113.9\",\"seq_first\":7,\"seq_limit\":900,\"df\":\"clear\","
	     "\"dscp\":46,\"ttl\":9,\"soft_bytes\":1000,\"hard_bytes\":2000,\"soft_packets\":10,"
	     "\"hard_packets\":20,\"soft_add_time\":30,\"hard_add_time\":40,\"soft_use_time\":50,"
	     "\"hard_use_time\":60,\"soft_seq\":500}");
	done("sa.add_many",
	     "{\"columns\":[\"direction\",\"spi\",\"tunnel\",\"algorithm\",\"key\",\"esn\",\"udp\","
	     "\"local_port\",\"remote_port\",\"local\",\"remote\",\"seq_first\",\"seq_limit\","
	     "\"df\",\"dscp\",\"ttl\",\"soft_bytes\",\"hard_bytes\",\"soft_packets\","
	     "\"hard_packets\",\"soft_add_time\",\"hard_add_time\",\"soft_use_time\","
	     "\"hard_use_time\",\"soft_seq\"],\"rows\":[[\"out\",4097,\"rome\",\"aes128gcm16\","
	     "\"f00102030405060708090a0b0c0d0e0f10111213\",false,true,4501,61000,\"198.51.100.7\","
	     "\"203.0.113.9\",7,900,\"clear\",46,9,1000,2000,10,20,30,40,50,60,500]]}");
	json_t *one = without_identity("4096"), *many = without_identity("4097");
	assert_int_equal(number_at(one, "lifetime.hard_use_time"), 60);
	assert_true(json_equal(one, many));
	json_decref(one);
	json_decref(many);
	/* The template serves as well, selectors and defaults included. */
	done("sa.add_many",
	     "{\"template\":{\"direction\":\"in\",\"tunnel\":\"paris\",\"selectors\":[{\"local\":"
	     "\"10.0.0.0/8\"}]}," SPI_KEY "," TWO "}");
	json_t *sa = result_of("sa.get", "{\"direction\":\"in\",\"spi\":4097}");
	assert_int_equal(number_at(sa, "replay_window"), 1024);
	assert_string_equal(text_at(sa, "remote"), "192.0.2.1");
	assert_string_equal(text_at(sa, "selectors.0.local"), "10.0.0.0/8");
	json_decref(sa);
}

static void nothing_is_added_where_one_is_wrong(void **state)
{
	(void)state;
	static const struct {
		const char *params, *field;
		int code;
	} cases[] = {
	    {INBOUND "," SPI_KEY ",\"rows\":[[4096,\"" KEY_A "\"],[255,\"" KEY_B "\"]]",
	     "rows[1].spi", -32602},
	    {INBOUND "," SPI_KEY ",\"rows\":[[4096,\"" KEY_A "\"],[4097,\"" KEY_B "0\"]]",
	     "rows[1].key", -32602},
	    {INBOUND "," SPI_KEY ",\"rows\":[[4096,\"" KEY_A "\"],[4097,[]]]", "rows[1].key",
	     -32602},
	    {INBOUND "," SPI_KEY ",\"rows\":[[4096,\"" KEY_A "\"],[4097]]", "rows[1]", -32602},
	    {INBOUND "," SPI_KEY ",\"rows\":[[4096,\"" KEY_A "\"],[4097,\"" KEY_B "\",1]]",
	     "rows[1]", -32602},
	    {INBOUND "," SPI_KEY ",\"rows\":[[4096,\"" KEY_A "\"],4097]", "rows[1]", -32602},
	    {INBOUND "," SPI_KEY ",\"rows\":[[4096,\"" KEY_A "\"],[4097,\"" KEY_A "\"]]",
	     "rows[1].key", 3},
	    {INBOUND "," SPI_KEY ",\"rows\":[[4096,\"" KEY_A "\"],[4096,\"" KEY_B "\"]]",
	     "rows[1].spi", 3},
	    {INBOUND "," SPI_KEY ",\"rows\":[[4096,\"" KEY_A "\"],[5000,\"" KEY_B "\"]]",
	     "rows[1].spi", 3},
	    {INBOUND "," SPI_KEY ",\"rows\":[[4096,\"" KEY_A "\"],[4097,\"" KEY_C "\"]]",
	     "rows[1].key", 3},
	    {"\"template\":{\"direction\":\"in\"},\"columns\":[\"spi\",\"tunnel\",\"key\"],"
	     "\"rows\":[[4096,\"paris\",\"" KEY_A "\"],[4097,\"oslo\",\"" KEY_B "\"]]",
	     "rows[1].tunnel", 2},
	    {"\"template\":{\"tunnel\":\"paris\",\"dscp\":1},\"columns\":[\"direction\",\"spi\","
	     "\"key\"],\"rows\":[[\"out\",4096,\"" KEY_A "\"],[\"in\",4097,\"" KEY_B "\"]]",
	     "rows[1].dscp", 1},
	    {INBOUND ",\"columns\":[\"spi\",\"key\",\"soft_bytes\",\"hard_bytes\"],\"rows\":["
		     "[4096,\"" KEY_A "\",1,2],[4097,\"" KEY_B "\",3,2]]",
	     "rows[1].soft_bytes", 1},
	    {INBOUND ",\"columns\":[\"spi\",\"key\",\"spi\"]," TWO, "columns[2]", 1},
	    {INBOUND ",\"columns\":[\"spi\",\"key\",\"tunnel\"]," TWO, "columns[2]", 1},
	    {INBOUND ",\"columns\":[\"spi\"],\"rows\":[[4096]]", "columns", 1},
	    {INBOUND ",\"columns\":[\"spi\",\"colour\"]," TWO, "columns[1]", -32602},
	    {"\"template\":{\"direction\":\"in\",\"tunnel\":\"oslo\"}," SPI_KEY "," TWO,
	     "template.tunnel", 2},
	    {"\"template\":{\"direction\":\"in\",\"tunnel\":\"paris\",\"selectors\":[{}]},"
	     "" SPI_KEY "," TWO,
	     "template.selectors[0].family", 1},
	};

	done("sa.add", SA("in", 5000, KEY_C, ""));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char params[1024];
		snprintf(params, sizeof(params), "{%s}", cases[i].params);
		if (code_of("sa.add_many", params, cases[i].field) != cases[i].code)
			fail_msg("%s has another code than %d", params, cases[i].code);
		assert_int_equal(count_of("gateway.info", "{}", "sas_in"), 1);
		assert_int_equal(count_of("gateway.info", "{}", "sas_out"), 0);
	}
}

static void a_second_time_needs_exist_ok(void **state)
{
	(void)state;
	assert_int_equal(count_of("sa.add_many", "{" INBOUND "," SPI_KEY "," TWO "}", "created"),
			 2);
	assert_int_equal(code_of("sa.add_many", "{" INBOUND "," SPI_KEY "," TWO "}", "rows[0].spi"),
			 3);
	json_t *again = result_of("sa.add_many", "{\"exist_ok\":true," INBOUND "," SPI_KEY
						 ",\"rows\":[[4096,\"" KEY_A "\"],[4098,\"" KEY_C
						 "\"],[4097,\"" KEY_B "\"]]}");
	assert_int_equal(number_at(again, "created"), 1);
	assert_int_equal(number_at(again, "existed"), 2);
	json_decref(again);
	/* The same SPI with another key is not the same SA. */
	assert_int_equal(code_of("sa.add_many",
				 "{\"exist_ok\":true," INBOUND "," SPI_KEY
				 ",\"rows\":[[4100,\"" KEY_D "\"],[4096,\"" KEY_B "\"]]}",
				 "rows[1].spi"),
			 3);
	assert_int_equal(count_of("gateway.info", "{}", "sas_in"), 3);
}

/* The testbed has room for 5,000 SAs of each direction. */
static void a_full_gateway_takes_none(void **state)
{
	(void)state;
	char *params = malloc(1 << 20);

	for (int part = 0; part < 2; part++) {
		size_t at = (size_t)sprintf(params, "{" INBOUND "," SPI_KEY ",\"rows\":[");
		for (int i = 0; i < 3000; i++)
			at += (size_t)sprintf(params + at, "%s[%d,\"%072d\"]", i > 0 ? "," : "",
					      10000 * (part + 1) + i, 10000 * (part + 1) + i);
		sprintf(params + at, "]}");
		if (part == 0)
			done("sa.add_many", params);
		else
			assert_int_equal(code_of("sa.add_many", params, "rows[2000]"), 4);
	}
	assert_int_equal(count_of("gateway.info", "{}", "sas_in"), 3000);
	free(params);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The figure is printed; what is asserted leaves room for another machine. */
static void thousands_take_milliseconds(void **state)
{
	(void)state;
	char *line = malloc(1 << 20);
	double seconds[21];
	unsigned int key = 0;

	for (size_t round = 0; round < 21; round++) {
		struct timespec a, b;
		size_t at =
		    (size_t)sprintf(line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"sa.add_"
					  "many\",\"params\":{" INBOUND "," SPI_KEY ",\"rows\":[");
		for (int i = 0; i < 4096; i++)
			at += (size_t)sprintf(line + at, "%s[%d,\"%072u\"]", i > 0 ? "," : "",
					      1000 + i, ++key);
		at += (size_t)sprintf(line + at, "]}}");
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
		char *answer = ask_text(CONTROL_ALL, line, at);
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
		assert_non_null(strstr(answer, "\"created\":4096,"));
		free(answer);
		seconds[round] =
		    (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) * 1e-9;
		assert_int_equal(count_of("sa.flush", "{}", "deleted"), 4096);
		rcu_barrier();
	}
	qsort(seconds, 21, sizeof(seconds[0]), by_value);
	print_message(
	    "4096 SAs in one request: %.1f ms, %.0f SAs a second (processor time, median of 21)\n",
	    seconds[10] * 1e3, 4096 / seconds[10]);
	assert_true(seconds[10] < 0.2);
	free(line);
}

static int setup_large(void **state)
{
	return testbed_setup_sized(state, 50000, 64);
}

/* More than one slice of the control thread, and as one to who asks. */
static void all_of_many_are_flushed(void **state)
{
	(void)state;
	char *params = malloc(1 << 20);

	for (int part = 0; part < 12; part++) {
		size_t at = (size_t)sprintf(params, "{" INBOUND "," SPI_KEY ",\"rows\":[");
		for (int i = 0; i < 4000; i++)
			at += (size_t)sprintf(params + at, "%s[%d,\"%072d\"]", i > 0 ? "," : "",
					      10000 * (part + 1) + i, 10000 * (part + 1) + i);
		sprintf(params + at, "]}");
		done("sa.add_many", params);
	}
	free(params);
	done("sa.add", SA("out", 4096, KEY_A, ""));
	assert_int_equal(count_of("sa.flush", "{\"direction\":\"in\"}", "deleted"), 48000);
	assert_int_equal(count_of("gateway.info", "{}", "sas_in"), 0);
	assert_int_equal(count_of("sa.flush", "{\"tunnel\":\"rome\"}", "deleted"), 0);
	assert_int_equal(count_of("sa.flush", "{\"tunnel\":\"paris\"}", "deleted"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    with_gateway(a_row_is_an_sa_add),
	    with_gateway(nothing_is_added_where_one_is_wrong),
	    with_gateway(a_second_time_needs_exist_ok),
	    with_gateway(a_full_gateway_takes_none),
	    with_gateway(thousands_take_milliseconds),
	    cmocka_unit_test_setup_teardown(all_of_many_are_flushed, setup_large, testbed_teardown),
	};

	if (testbed_eal() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
