/** How fast data is copied, whatever the engine: what an operator has set, and what the source bears. */
@NullMarked
package dev.eden.activities.copy;

import org.jspecify.annotations.NullMarked;
