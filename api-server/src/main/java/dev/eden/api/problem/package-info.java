/** What can go wrong, once: the catalogue of errors that REST and the command line show. */
@NullMarked
package dev.eden.api.problem;

import org.jspecify.annotations.NullMarked;
