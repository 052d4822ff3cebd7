/** The activities as the workers register them; each dispatches by engine. */
@NullMarked
package dev.eden.api.worker;

import org.jspecify.annotations.NullMarked;
