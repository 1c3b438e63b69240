/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "control/event_table.h"
#include "control/method.h"
#include "generate.h"

static const char head[] =
    "# bash completion for espctl; made from the table of methods\n"
    "_espctl_tunnels()\n"
    "{\n"
    "\tespctl \"${socket[@]}\" --timeout 1 --json tunnel list 2>/dev/null |\n"
    "\t\tsed -n 's/^ *\"name\": \"\\(.*\\)\",\\{0,1\\}$/\\1/p'\n"
    "}\n"
    "\n"
    "_espctl()\n"
    "{\n"
    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} words=() socket=() i word verbs='' params='' "
    "tunnels=''\n"
    "\tlocal options='--socket --json --watch --frames --colour --timeout --help --version'\n"
    "\n"
    "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
    "\t\tword=${COMP_WORDS[i]}\n"
    "\t\tcase $word in\n"
    "\t\t--socket | -s) socket=(--socket \"${COMP_WORDS[++i]}\") ;;\n"
    "\t\t--timeout | --frames | --colour | --color | -t | -n) ((i++)) ;;\n"
    "\t\t-*) ;;\n"
    "\t\t*) words+=(\"$word\") ;;\n"
    "\t\tesac\n"
    "\tdone\n"
    "\tcase ${COMP_WORDS[COMP_CWORD - 1]} in\n"
    "\t--socket | -s)\n"
    "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
    "\t\treturn\n"
    "\t\t;;\n"
    "\t--colour | --color)\n"
    "\t\tmapfile -t COMPREPLY < <(compgen -W 'auto always never' -- \"$cur\")\n"
    "\t\treturn\n"
    "\t\t;;\n"
    "\tesac\n"
    "\tif [[ $cur == -* ]]; then\n"
    "\t\tmapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$cur\")\n"
    "\t\treturn\n"
    "\tfi\n";

static const char tail[] =
    "\tif [[ $cur == name=* || $cur == tunnel=* ]]; then\n"
    "\t\tmapfile -t COMPREPLY < <(compgen -W \"$(_espctl_tunnels)\" -- \"${cur#*=}\")\n"
    "\t\treturn\n"
    "\tfi\n"
    "\t# bash splits words at \"=\".\n"
    "\tif [[ ($cur == '=' || ${COMP_WORDS[COMP_CWORD - 1]} == '=') &&\n"
    "\t\t\" ${COMP_WORDS[*]} \" =~ ' '(name|tunnel)' = ' ]]; then\n"
    "\t\tmapfile -t COMPREPLY < <(compgen -W \"$(_espctl_tunnels)\" -- \"${cur#=}\")\n"
    "\t\treturn\n"
    "\tfi\n"
    "\tif [[ -n $tunnels ]]; then\n"
    "\t\tverbs=\"$verbs $(_espctl_tunnels)\"\n"
    "\tfi\n"
    "\tmapfile -t COMPREPLY < <(compgen -W \"$verbs $params\" -- \"$cur\")\n"
    "\tif [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then\n"
    "\t\tcompopt -o nospace 2>/dev/null\n"
    "\tfi\n"
    "}\n"
    "complete -F _espctl espctl\n";

static size_t object_length(const struct method *m)
{
	return strcspn(m->name, ".");
}

/* The first method of its object? */
static bool is_first(size_t i)
{
	size_t len = object_length(&method_table[i]);

	for (size_t j = 0; j < i; j++)
		if (object_length(&method_table[j]) == len &&
		    strncmp(method_table[j].name, method_table[i].name, len) == 0)
			return false;
	return true;
}

static void print_objects(FILE *out)
{
	for (size_t i = 0; i < METHOD_COUNT; i++)
		if (is_first(i))
			fprintf(out, " %.*s", (int)object_length(&method_table[i]),
				method_table[i].name);
}

static void print_verbs(FILE *out, const struct method *object)
{
	size_t len = object_length(object);

	for (size_t i = 0; i < METHOD_COUNT; i++)
		if (strncmp(method_table[i].name, object->name, len) == 0 &&
		    method_table[i].name[len] == '.')
			fprintf(out, " %s", method_table[i].name + len + 1);
}

static void print_params(FILE *out, const struct method *m)
{
	for (const struct member *p = m->params; p->name != NULL; p++) {
		if (p->type == MEMBER_OBJECT)
			for (const struct member *q = p->members; q->name != NULL; q++)
				fprintf(out, " %s.%s=", p->name, q->name);
		else
			fprintf(out, " %s=", p->name);
	}
}

void generate_completion(FILE *out)
{
	fputs(head, out);
	fputs("\tcase \"${words[0]}.${words[1]}\" in\n\t.)\n\t\tverbs='info top call", out);
	print_objects(out);
	fputs("' ;;\n\ttunnel.show) tunnels=yes ;;\n\tcall.) verbs='", out);
	for (size_t i = 0; i < METHOD_COUNT; i++)
		fprintf(out, "%s ", method_table[i].name);
	fputs("' ;;\n", out);
	for (size_t i = 0; i < METHOD_COUNT; i++) {
		const struct method *m = &method_table[i];
		fprintf(out, "\t%s%s)\n\t\tparams='", m->name, strchr(m->name, '.') ? "" : ".");
		print_params(out, m);
		fputs("'\n", out);
		if (strncmp(m->name, "tunnel.", 7) == 0)
			fputs("\t\ttunnels=yes\n", out);
		fputs("\t\t;;\n", out);
	}
	for (size_t i = 0; i < METHOD_COUNT; i++) {
		const struct method *m = &method_table[i];
		if (!is_first(i) || strchr(m->name, '.') == NULL)
			continue;
		fprintf(out, "\t%.*s.)\n\t\tverbs='", (int)object_length(m), m->name);
		print_verbs(out, m);
		fputs(strncmp(m->name, "tunnel.", 7) == 0 ? " show'\n\t\ttunnels=yes\n" : "'\n",
		      out);
		fputs("\t\t;;\n", out);
	}
	fputs("\tesac\n\tif [[ ${words[0]} == events && -z $params ]]; then\n\t\tverbs+='", out);
	for (size_t i = 0; i < EVENT_COUNT; i++)
		fprintf(out, " %s", event_table[i].name);
	fputs("' params=tunnel=\n\tfi\n", out);
	fputs(tail, out);
}
