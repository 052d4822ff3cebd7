/** The protocol with one of its rules taken out: what the demo's checker says then. */
@NullMarked
package dev.eden.api.mutants;

import org.jspecify.annotations.NullMarked;
