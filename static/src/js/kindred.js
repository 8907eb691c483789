// What the pages do beyond links and forms. Every page works without it.
import { applyWhatIsChosen } from "./filters.js";
import { chooseFolders } from "./folder.js";
import { followThePicture } from "./follow.js";
import { goOnward } from "./onward.js";
import { offerCopies } from "./copy.js";
import { rememberTheList } from "./list.js";
import { takeKeys } from "./keys.js";
import { takePictures } from "./drop.js";
import { suggest } from "./suggest.js";
import { takeSwipes } from "./swipe.js";
import { keepTheOfflinePage } from "./worker.js";

takePictures();
followThePicture();
applyWhatIsChosen();
rememberTheList();
goOnward();
takeKeys();
takeSwipes();
offerCopies();
keepTheOfflinePage();
chooseFolders();
suggest();
