-- The tables of an early Gotify 2.
CREATE TABLE "users" ("id" integer primary key autoincrement, "name" varchar(180), "pass" blob, "admin" bool);
CREATE UNIQUE INDEX uix_users_name ON "users"("name");
CREATE TABLE "applications" ("id" integer primary key autoincrement, "token" varchar(180),
    "user_id" integer, "name" varchar(255), "description" varchar(255), "internal" bool, "image" varchar(255));
CREATE UNIQUE INDEX uix_applications_token ON "applications"("token");
CREATE TABLE "messages" ("id" integer primary key autoincrement, "application_id" integer,
    "message" text, "title" text, "priority" integer, "extras" blob, "date" datetime);
CREATE TABLE "clients" ("id" integer primary key autoincrement, "token" varchar(180), "user_id" integer,
    "name" varchar(255));
