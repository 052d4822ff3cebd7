@NullMarked
package dev.eden.activities.store;

import org.jspecify.annotations.NullMarked;
