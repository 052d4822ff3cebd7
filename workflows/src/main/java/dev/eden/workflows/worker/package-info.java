/** Puts workflow and activities onto Temporal's workers. Not workflow code: threads and clocks are allowed here. */
@NullMarked
package dev.eden.workflows.worker;

import org.jspecify.annotations.NullMarked;
