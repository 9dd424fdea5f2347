/* What a run gave, for people. */
#ifndef RUN_REPORT_H
#define RUN_REPORT_H

#include "model.h"

typedef struct labels {
    const char *path;
    char *text;   /* the file's, each line ended */
    char **lines; /* in it */
    int64_t count;
} labels;

/* path NULL: none. 0: said. */
int labels_read(const char *path, labels *out);
void labels_free(labels *l);

/* Prints each output: the classes of one that has a number for each, else its shape and range. 0: said. */
int report_outputs(const model *m, const options *o, const labels *names, const char *of);
/* Prints the model: inputs, outputs, parameters, graph. 0: said. */
int report_model(const model *m, const options *o);

#endif
