"""All of the model that the handler's image contains; imports no other room of model/."""
