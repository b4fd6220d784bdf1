// SPDX-License-Identifier: Apache-2.0
// One load of this library after another, and after those of other builds of it. What is started
// with a load is stopped with it.
//
// load, upgrade and unload run with the code modification permission, so never two at a time.
#ifndef TRIPOD_NIF_MODULE_H
#define TRIPOD_NIF_MODULE_H

#include "census.h"

#include <erl_nif.h>

// The callbacks of the same names in erl_nif. 0, or the load fails and nothing has changed.
//
// An upgrade within this build takes the living boxes over. One from another build ends them with
// {error, closed}, because they hold pointers into that build: calls of them find no box from then
// on, and a thread of that build's frees them one by one. It fails if that build's private data is
// not of the layout that this one knows: then nobody could end them.
int nif_module_load(ErlNifEnv *env, void **data);
int nif_module_upgrade(ErlNifEnv *env, void **data, void *old_data);
void nif_module_unload(void *data);

// What is alive in this build, and in earlier ones that a call may not have come out of yet.
struct census_total nif_module_census(void);

#endif
