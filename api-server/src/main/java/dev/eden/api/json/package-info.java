/** JSON as the API and the store write it. */
@NullMarked
package dev.eden.api.json;

import org.jspecify.annotations.NullMarked;
