/** Figures for Prometheus. */
@NullMarked
package dev.eden.api.metrics;

import org.jspecify.annotations.NullMarked;
