"""Archives that people take home: zip files put together from objects, without ever holding one in memory."""
