/** The activities that the workflows call; the {@code activities} module implements them. One record per argument. */
@NullMarked
package dev.eden.workflows.activity;

import org.jspecify.annotations.NullMarked;
