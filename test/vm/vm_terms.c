// SPDX-License-Identifier: Apache-2.0
// Terms of the stand-in, and the environments that they live in.
#include "vm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VM_ATOMS     512
#define VM_ATOM_SIZE 256

enum vm_kind { VM_INTEGER, VM_REAL, VM_BINARY, VM_TUPLE, VM_CONS, VM_MAP, VM_RESOURCE };

struct vm_node {
    struct vm_node *next; // of the same environment
    enum vm_kind kind;
    size_t n; // elements, pairs, bytes
    int64_t integer;
    double real;
    void *object;        // VM_RESOURCE: holds a reference
    unsigned char *data; // VM_BINARY
    ERL_NIF_TERM *terms; // elements; head and tail; keys, then values
};

// Without a lock, which would be an order between threads: all are made before the second thread.
static char vm_atoms[VM_ATOMS][VM_ATOM_SIZE];
static size_t vm_atom_count;

static void *vm_must(void *block) {
    if (block == NULL)
        abort();
    return block;
}

static struct vm_node *vm_new(ErlNifEnv *env, enum vm_kind kind, size_t terms) {
    struct vm_node *node = vm_must(calloc(1, sizeof *node));
    node->kind = kind;
    if (terms > 0)
        node->terms = vm_must(calloc(terms, sizeof *node->terms));
    node->next = env->nodes;
    env->nodes = node;
    return node;
}

static const struct vm_node *vm_node_at(ERL_NIF_TERM term) {
    const struct vm_node *node;
    memcpy(&node, &term, sizeof node);
    return node;
}

static const struct vm_node *vm_node(ERL_NIF_TERM term, enum vm_kind kind) {
    return vm_tag(term) == VM_TAG_NODE && vm_node_at(term)->kind == kind ? vm_node_at(term) : NULL;
}

ErlNifEnv *enif_alloc_env(void) {
    return vm_must(calloc(1, sizeof(ErlNifEnv)));
}

void enif_clear_env(ErlNifEnv *env) {
    while (env->nodes != NULL) {
        struct vm_node *node = env->nodes;
        env->nodes = node->next;
        if (node->kind == VM_RESOURCE)
            enif_release_resource(node->object);
        free(node->terms);
        free(node->data);
        free(node);
    }
}

void enif_free_env(ErlNifEnv *env) {
    enif_clear_env(env);
    free(env);
}

static bool vm_find_atom(const char *name, size_t length, size_t *index) {
    for (*index = 0; *index < vm_atom_count; (*index)++)
        if (strlen(vm_atoms[*index]) == length && memcmp(vm_atoms[*index], name, length) == 0)
            return true;
    return false;
}

ERL_NIF_TERM enif_make_atom_len(ErlNifEnv *env, const char *name, size_t length) {
    (void)env;
    size_t index;
    if (!vm_find_atom(name, length, &index)) {
        if (vm_atom_count == VM_ATOMS || length >= VM_ATOM_SIZE)
            abort();
        memcpy(vm_atoms[vm_atom_count++], name, length);
    }
    return vm_immediate(index, VM_TAG_ATOM);
}

int enif_make_existing_atom_len(ErlNifEnv *env, const char *name, size_t length, ERL_NIF_TERM *atom,
                                ErlNifCharEncoding encoding) {
    (void)env, (void)encoding;
    size_t index;
    bool found = vm_find_atom(name, length, &index);
    *atom = vm_immediate(index, VM_TAG_ATOM);
    return found;
}

int enif_get_atom(ErlNifEnv *env, ERL_NIF_TERM atom, char *text, unsigned size,
                  ErlNifCharEncoding encoding) {
    (void)env, (void)encoding;
    if (vm_tag(atom) != VM_TAG_ATOM)
        return 0;
    const char *name = vm_atoms[atom >> VM_TAG_BITS];
    size_t length = strlen(name);
    if (length < size)
        memcpy(text, name, length + 1);
    return length < size ? (int)length + 1 : 0;
}

int enif_is_atom(ErlNifEnv *env, ERL_NIF_TERM term) {
    (void)env;
    return vm_tag(term) == VM_TAG_ATOM;
}

int enif_is_identical(ERL_NIF_TERM one, ERL_NIF_TERM other) {
    return one == other; // asked of atoms only
}

ERL_NIF_TERM enif_make_int64(ErlNifEnv *env, ErlNifSInt64 value) {
    struct vm_node *node = vm_new(env, VM_INTEGER, 0);
    node->integer = value;
    return (ERL_NIF_TERM)node;
}

ERL_NIF_TERM enif_make_uint64(ErlNifEnv *env, ErlNifUInt64 value) {
    return enif_make_int64(env, (ErlNifSInt64)value); // none is so large here
}

int enif_get_int64(ErlNifEnv *env, ERL_NIF_TERM term, ErlNifSInt64 *value) {
    (void)env;
    const struct vm_node *node = vm_node(term, VM_INTEGER);
    if (node != NULL)
        *value = node->integer;
    return node != NULL;
}

int enif_get_uint64(ErlNifEnv *env, ERL_NIF_TERM term, ErlNifUInt64 *value) {
    ErlNifSInt64 found;
    if (!enif_get_int64(env, term, &found) || found < 0)
        return 0;
    *value = (ErlNifUInt64)found;
    return 1;
}

int enif_get_uint(ErlNifEnv *env, ERL_NIF_TERM term, unsigned *value) {
    ErlNifUInt64 found;
    if (!enif_get_uint64(env, term, &found) || found > UINT32_MAX)
        return 0;
    *value = (unsigned)found;
    return 1;
}

ERL_NIF_TERM enif_make_double(ErlNifEnv *env, double value) {
    struct vm_node *node = vm_new(env, VM_REAL, 0);
    node->real = value;
    return (ERL_NIF_TERM)node;
}

int enif_get_double(ErlNifEnv *env, ERL_NIF_TERM term, double *value) {
    (void)env;
    const struct vm_node *node = vm_node(term, VM_REAL);
    if (node != NULL)
        *value = node->real;
    return node != NULL;
}

unsigned char *enif_make_new_binary(ErlNifEnv *env, size_t size, ERL_NIF_TERM *term) {
    struct vm_node *node = vm_new(env, VM_BINARY, 0);
    node->n = size;
    node->data = vm_must(malloc(size > 0 ? size : 1));
    *term = (ERL_NIF_TERM)node;
    return node->data;
}

int enif_inspect_binary(ErlNifEnv *env, ERL_NIF_TERM term, ErlNifBinary *binary) {
    (void)env;
    const struct vm_node *node = vm_node(term, VM_BINARY);
    if (node != NULL)
        *binary = (ErlNifBinary){.size = node->n, .data = node->data};
    return node != NULL;
}

static ERL_NIF_TERM vm_many(ErlNifEnv *env, enum vm_kind kind, const ERL_NIF_TERM terms[],
                            size_t n) {
    struct vm_node *node = vm_new(env, kind, n);
    node->n = n;
    for (size_t i = 0; i < n; i++)
        node->terms[i] = terms[i];
    return (ERL_NIF_TERM)node;
}

ERL_NIF_TERM enif_make_tuple_from_array(ErlNifEnv *env, const ERL_NIF_TERM terms[], unsigned n) {
    return vm_many(env, VM_TUPLE, terms, n);
}

ERL_NIF_TERM enif_make_tuple(ErlNifEnv *env, unsigned n, ...) {
    ERL_NIF_TERM terms[16];
    va_list rest;
    va_start(rest, n);
    for (unsigned i = 0; i < n; i++)
        terms[i] = va_arg(rest, ERL_NIF_TERM);
    va_end(rest);
    return vm_many(env, VM_TUPLE, terms, n);
}

int enif_get_tuple(ErlNifEnv *env, ERL_NIF_TERM term, int *arity, const ERL_NIF_TERM **elements) {
    (void)env;
    const struct vm_node *node = vm_node(term, VM_TUPLE);
    if (node == NULL)
        return 0;
    *arity = (int)node->n;
    *elements = node->terms;
    return 1;
}

ERL_NIF_TERM enif_make_list_from_array(ErlNifEnv *env, const ERL_NIF_TERM terms[], unsigned n) {
    ERL_NIF_TERM list = vm_immediate(0, VM_TAG_NIL);
    while (n-- > 0)
        list = vm_many(env, VM_CONS, (ERL_NIF_TERM[]){terms[n], list}, 2);
    return list;
}

int enif_get_list_cell(ErlNifEnv *env, ERL_NIF_TERM term, ERL_NIF_TERM *head, ERL_NIF_TERM *tail) {
    (void)env;
    const struct vm_node *node = vm_node(term, VM_CONS);
    if (node == NULL)
        return 0;
    *head = node->terms[0];
    *tail = node->terms[1];
    return 1;
}

int enif_is_empty_list(ErlNifEnv *env, ERL_NIF_TERM term) {
    (void)env;
    return vm_tag(term) == VM_TAG_NIL;
}

int enif_get_list_length(ErlNifEnv *env, ERL_NIF_TERM list, unsigned *length) {
    ERL_NIF_TERM head;
    for (*length = 0; enif_get_list_cell(env, list, &head, &list);)
        (*length)++;
    return enif_is_empty_list(env, list);
}

int enif_make_map_from_arrays(ErlNifEnv *env, ERL_NIF_TERM keys[], ERL_NIF_TERM values[], size_t n,
                              ERL_NIF_TERM *map) {
    struct vm_node *node = vm_new(env, VM_MAP, 2 * n);
    node->n = n;
    for (size_t i = 0; i < n; i++) {
        node->terms[i] = keys[i];
        node->terms[n + i] = values[i];
    }
    *map = (ERL_NIF_TERM)node;
    return 1;
}

int enif_get_map_size(ErlNifEnv *env, ERL_NIF_TERM term, size_t *size) {
    (void)env;
    const struct vm_node *node = vm_node(term, VM_MAP);
    if (node != NULL)
        *size = node->n;
    return node != NULL;
}

int enif_map_iterator_create(ErlNifEnv *env, ERL_NIF_TERM map, ErlNifMapIterator *at,
                             ErlNifMapIteratorEntry entry) {
    (void)env;
    const struct vm_node *node = vm_node(map, VM_MAP);
    if (node == NULL)
        return 0;
    size_t first = entry == ERL_NIF_MAP_ITERATOR_LAST ? node->n : 1;
    *at = (ErlNifMapIterator){.map = map, .size = node->n, .idx = first};
    return 1;
}

void enif_map_iterator_destroy(ErlNifEnv *env, ErlNifMapIterator *at) {
    (void)env, (void)at;
}

int enif_map_iterator_get_pair(ErlNifEnv *env, ErlNifMapIterator *at, ERL_NIF_TERM *key,
                               ERL_NIF_TERM *value) {
    (void)env;
    const struct vm_node *node = vm_node(at->map, VM_MAP);
    if (node == NULL || at->idx == 0 || at->idx > node->n)
        return 0;
    *key = node->terms[at->idx - 1];
    *value = node->terms[node->n + at->idx - 1];
    return 1;
}

int enif_map_iterator_next(ErlNifEnv *env, ErlNifMapIterator *at) {
    (void)env;
    return ++at->idx <= at->size;
}

int enif_map_iterator_prev(ErlNifEnv *env, ErlNifMapIterator *at) {
    (void)env;
    return --at->idx > 0;
}

ERL_NIF_TERM enif_make_resource(ErlNifEnv *env, void *object) {
    struct vm_node *node = vm_new(env, VM_RESOURCE, 0);
    enif_keep_resource(object);
    node->object = object;
    return (ERL_NIF_TERM)node;
}

int enif_get_resource(ErlNifEnv *env, ERL_NIF_TERM term, ErlNifResourceType *type, void **object) {
    (void)env, (void)type; // there is one
    const struct vm_node *node = vm_node(term, VM_RESOURCE);
    if (node != NULL)
        *object = node->object;
    return node != NULL;
}

ERL_NIF_TERM enif_make_copy(ErlNifEnv *env, ERL_NIF_TERM term) {
    if (vm_tag(term) != VM_TAG_NODE)
        return term;
    const struct vm_node *from = vm_node_at(term);
    if (from->kind == VM_RESOURCE)
        return enif_make_resource(env, from->object);
    size_t terms = from->kind == VM_MAP ? 2 * from->n : from->terms != NULL ? from->n : 0;
    struct vm_node *node = vm_new(env, from->kind, terms);
    node->n = from->n;
    node->integer = from->integer;
    node->real = from->real;
    for (size_t i = 0; i < terms; i++)
        node->terms[i] = enif_make_copy(env, from->terms[i]);
    if (from->kind == VM_BINARY) {
        node->data = vm_must(malloc(node->n > 0 ? node->n : 1));
        memcpy(node->data, from->data, node->n);
    }
    return (ERL_NIF_TERM)node;
}

ErlNifTermType enif_term_type(ErlNifEnv *env, ERL_NIF_TERM term) {
    static const ErlNifTermType types[] = {
        [VM_INTEGER] = ERL_NIF_TERM_TYPE_INTEGER,    [VM_REAL] = ERL_NIF_TERM_TYPE_FLOAT,
        [VM_BINARY] = ERL_NIF_TERM_TYPE_BITSTRING,   [VM_TUPLE] = ERL_NIF_TERM_TYPE_TUPLE,
        [VM_CONS] = ERL_NIF_TERM_TYPE_LIST,          [VM_MAP] = ERL_NIF_TERM_TYPE_MAP,
        [VM_RESOURCE] = ERL_NIF_TERM_TYPE_REFERENCE,
    };
    (void)env;
    switch (vm_tag(term)) {
    case VM_TAG_ATOM:
        return ERL_NIF_TERM_TYPE_ATOM;
    case VM_TAG_PID:
        return ERL_NIF_TERM_TYPE_PID;
    case VM_TAG_NIL:
        return ERL_NIF_TERM_TYPE_LIST;
    default:
        return types[vm_node_at(term)->kind];
    }
}

// Asked only about what cannot cross, or when a reply holds an integer of many digits.
int enif_term_to_binary(ErlNifEnv *env, ERL_NIF_TERM term, ErlNifBinary *binary) {
    (void)env, (void)term, (void)binary;
    return 0;
}

void enif_release_binary(ErlNifBinary *binary) {
    (void)binary;
}

size_t enif_binary_to_term(ErlNifEnv *env, const unsigned char *data, size_t size,
                           ERL_NIF_TERM *term, unsigned options) {
    (void)env, (void)data, (void)size, (void)term, (void)options;
    return 0;
}

ERL_NIF_TERM vm_atom(const char *name) {
    return enif_make_atom_len(NULL, name, strlen(name));
}

ERL_NIF_TERM vm_bytes(ErlNifEnv *env, const char *text) {
    ERL_NIF_TERM term;
    size_t length = strlen(text);
    memcpy(enif_make_new_binary(env, length, &term), text, length);
    return term;
}

ERL_NIF_TERM vm_element(ERL_NIF_TERM tuple, unsigned i) {
    const struct vm_node *node = vm_node(tuple, VM_TUPLE);
    if (node == NULL || i >= node->n)
        abort();
    return node->terms[i];
}
