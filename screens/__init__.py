"""The screens and dialogs: bindings, actions, layout. What they show comes from the replica."""
