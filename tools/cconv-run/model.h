/* A model that is loaded and planned for the sizes at hand, with room for what goes in and comes out. */
#ifndef RUN_MODEL_H
#define RUN_MODEL_H

#include "cconv.h"
#include "options.h"

typedef struct model {
    cconv_graph *graph;
    cconv_graph *first; /* as the file has it, whose parameters `graph` uses, or NULL: graph is that */
    int n_inputs, n_outputs;
    int *inputs;                       /* nodes */
    int64_t (*shapes)[CCONV_MAX_RANK]; /* of the inputs; -1: open */
    cconv_array *arrays;               /* given to runs; the caller's data */

    /* Of images: where the first input has its channels, rows and columns. 0 channels: it takes no images. */
    int channels_axis, rows_axis, columns_axis, channels;

    cconv_plan *plan;
    int64_t samples;       /* that the plan is for */
    int64_t planned[2];    /* rows and columns it is for, where those are open */
    cconv_output *outputs; /* double for each element of each output */
    int64_t (*output_shapes)[CCONV_MAX_RANK];
    int *output_ranks;
} model;

/* Loads the model: --size and, for images, a batch of one take the place of what the file says. 0: said. */
int model_load(model *m, const options *o);
/* A plan for so many samples and, where rows and columns are open, for that many; the one there is if it fits. 0: said. */
int model_plan(model *m, const options *o, int64_t samples, int64_t rows, int64_t columns);
/* Runs the plan on m->arrays. interrupted as in cconv_batch. */
cconv_status model_run(model *m, int (*interrupted)(void *));
void model_free(model *m);

/* The elements of an input for so many samples, of the planned shape; of an output. */
int64_t model_input_count(const model *m, int i, int64_t samples);
int64_t model_output_count(const model *m, int i);
int model_input_node(const model *m, int i, cconv_node *node);

#endif
