/** Stands in for the server module, which this module knows by its command line only. */
@NullMarked
package dev.eden.api;

import org.jspecify.annotations.NullMarked;
